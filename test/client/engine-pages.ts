import type { Browser, BrowserContext, Page } from 'playwright-core'
import { type ChromiumOptions, launchChromium } from '../support/chromium.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import type { Asked, Outcome } from './fixtures/engine-page.ts'
import { openPageSite, type PageSite } from './page-site.ts'

/** Pages of a site, each with an engine of its own. */
export interface EnginePages extends AsyncDisposable {
  readonly site: PageSite
  readonly browser: Browser
  /** Opens a page, in a context of its own where none is given. */
  open(context?: BrowserContext): Promise<Page>
  /** Closes all pages. */
  leave(): Promise<void>
  /** Makes the site have a model that adds so much; gives the token that stands for it. */
  offer(constant: number): string
}

/** Starts a site and a browser. */
export async function openEnginePages(options: ChromiumOptions = {}): Promise<EnginePages> {
  const site = await openPageSite()
  const browser = await launchChromium(options)
  return {
    site,
    browser,
    async open(context) {
      const page = await (context ?? (await browser.newContext())).newPage()
      await page.goto(`${site.url}/page`)
      return page
    },
    async leave() {
      await Promise.all(browser.contexts().map((context) => context.close()))
    },
    offer(constant) {
      const token = `plus-${constant}`
      site.models.set(token, addConstantModel(constant))
      return token
    },
    async [Symbol.asyncDispose]() {
      await browser.close()
      await site[Symbol.asyncDispose]()
    },
  }
}

/** Asks the engine of a page. */
export function ask(page: Page, asked: Asked): Promise<Outcome> {
  return page.evaluate((it) => window.ask(it), asked)
}

/** Lets a function do something to its worker; `mark` tells apart what is done once only. */
export function act(page: Page, what: string, mark = ''): Promise<Outcome> {
  return ask(page, { name: 'behaving', json: { act: what, mark } })
}

/** Adds with the model that a token stands for. */
export function add(page: Page, token: string, x = 1): Promise<Outcome> {
  return ask(page, { name: 'adding', token, json: { x } })
}
