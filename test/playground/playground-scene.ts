import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { makeExampleProject, startServer, type TestProject, type TestServer } from '../support/server.ts'

/** A function that takes a value of each kind, and refuses one by itself. */
const kinds = `import { Type } from '@sinclair/typebox'
import { defineFunction, file, IsoplexError, tensorOf } from 'isoplex'
export default defineFunction({
  description: 'Takes a value of each kind.',
  access: 'public',
  runs: ['server', 'browser'],
  input: Type.Object({
    word: Type.String({ minLength: 2, pattern: '^[a-z]+$' }),
    size: Type.Union([Type.Literal('small'), Type.Literal('large')]),
    count: Type.Integer({ minimum: 1, maximum: 9, default: 3 }),
    sure: Type.Boolean(),
    inner: Type.Optional(Type.Object({ list: Type.Array(Type.String(), { maxItems: 2 }) })),
    picture: Type.Optional(file({ mediaTypes: ['image/png'], maxBytes: 1_000 })),
    grid: Type.Optional(tensorOf('float32', ['rows', 2])),
    target: Type.Optional(Type.Union([Type.String(), Type.Object({ x: Type.Number() })])),
    tree: Type.Optional(Type.Recursive((Tree) => Type.Object({ leaf: Type.Number(), next: Type.Optional(Tree) }))),
  }),
  handler({ input: { picture, grid, ...plain } }) {
    if (plain.word === 'taken') {
      const issues = [{ path: '/word', message: 'is taken already' }]
      throw new IsoplexError('INPUT_INVALID', 'The word is taken.', { details: { issues } })
    }
    return { said: JSON.stringify(plain), bytes: picture?.bytes.length ?? 0, rows: grid?.dims[0] ?? 0 }
  },
})
`

/** A function of which the page and the server answer differently. */
const placed = `import { defineFunction } from 'isoplex'
export default defineFunction({
  access: 'public',
  runs: ['server', 'browser'],
  handler: () => ({ place: 'Bun' in globalThis ? 'server' : 'page', same: 1 }),
})
`

/** A function that pages cannot run, which only shows once it is tried. */
const fussy = `import { defineFunction, IsoplexError } from 'isoplex'
export default defineFunction({
  access: 'public',
  runs: ['server', 'browser'],
  handler() {
    if (!('Bun' in globalThis)) {
      throw new IsoplexError('PROVIDER_UNAVAILABLE', 'Pages lack what it needs.', { details: { missing: ['all'] } })
    }
    return { answered: true }
  },
})
`

/** A function for the server alone. */
const near = `import { defineFunction } from 'isoplex'
export default defineFunction({ access: 'public', handler: () => ({ near: true }) })
`

const shots = new URL('../artifacts/playground/', import.meta.url).pathname

/** A server in development with the examples and some functions more. */
export interface PlaygroundScene extends AsyncDisposable {
  readonly project: TestProject
  readonly server: TestServer
}

/** Starts a server of the real command. */
export async function startPlayground(): Promise<PlaygroundScene> {
  const project = await makeExampleProject()
  await project.write('functions/kinds.ts', kinds)
  await project.write('functions/placed.ts', placed)
  await project.write('functions/fussy.ts', fussy)
  await project.write('functions/near.ts', near)
  const server = await startServer(project, 'dev')
  return {
    project,
    server,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await project[Symbol.asyncDispose]()
    },
  }
}

/** How a page is opened. */
export interface PlaygroundOptions {
  readonly width?: number
  readonly height?: number
  readonly dark?: boolean
  /** Whether there is a finger instead of a mouse. */
  readonly touch?: boolean
}

/** A page of the playground as somebody sees it. */
export interface PlaygroundPage extends AsyncDisposable {
  readonly page: Page
  /** Warnings and errors of the console, and errors that nobody caught. */
  readonly complaints: readonly string[]
  /** Keeps a picture of the whole page. */
  keep(name: string): Promise<void>
}

/** Opens the playground at a function, with a browser that has kept nothing yet. */
export async function openPlayground(
  browser: Browser,
  { server }: PlaygroundScene,
  name: string,
  options: PlaygroundOptions = {},
): Promise<PlaygroundPage> {
  const opened = await openPage(browser, `${server.url}/-/playground#/${encodeURIComponent(name)}`, options)
  await opened.page.getByRole('heading', { name, exact: true }).waitFor()
  return opened
}

/** Opens an address of the playground, with a browser that has kept nothing yet. */
export async function openPage(
  browser: Browser,
  url: string,
  { width = 1_280, height = 800, dark = false, touch = false }: PlaygroundOptions = {},
): Promise<PlaygroundPage> {
  await mkdir(shots, { recursive: true })
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: dark ? 'dark' : 'light',
    hasTouch: touch,
  })
  context.setDefaultTimeout(15_000)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    if (['warning', 'error'].includes(message.type())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  await page.goto(url)
  return {
    page,
    complaints,
    async keep(shot) {
      await page.screenshot({ path: join(shots, `${shot}.png`), fullPage: true })
    },
    [Symbol.asyncDispose]: () => context.close(),
  }
}

/** Draws with the mouse on the sheet, through places given as shares of its side. */
export async function drawWithMouse(
  page: Page,
  places: readonly (readonly [number, number])[],
): Promise<void> {
  const sheet = page.getByLabel(/: draw here/)
  await sheet.scrollIntoViewIfNeeded()
  const box = await sheet.boundingBox()
  if (box === null) throw new Error('The sheet is not to be seen.')
  for (const [index, [x, y]] of places.entries()) {
    await page.mouse.move(box.x + x * box.width, box.y + y * box.height, { steps: 5 })
    if (index === 0) await page.mouse.down()
  }
  await page.mouse.up()
}

/** Runs what is filled in, and waits until all its answers are there. */
export async function runCall(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Run', exact: true }).click()
  await page
    .getByRole('button', { name: 'Stop' })
    .and(page.locator('[aria-disabled=true]'))
    .waitFor({ timeout: 60_000 })
}

/** Where the strokes of a seven lead. */
export const seven: readonly (readonly [number, number])[] = [
  [0.25, 0.25],
  [0.72, 0.25],
  [0.52, 0.55],
  [0.42, 0.85],
]
