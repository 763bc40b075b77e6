import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BunPlugin } from 'bun'
import type { Page } from 'playwright-core'
import { clientFile, publishClient } from '../support/published-client.ts'

/** What a page says of its first answer. */
export interface FirstAnswer {
  readonly digit: number
  /** From the start of the navigation, in milliseconds. */
  readonly elapsedMs: number
}

/** Makes pages as their makers would, with the client that is published. */
export interface PageBundler extends AsyncDisposable {
  /** The files of a page by their paths: an `index.html` in a folder, and its modules. */
  bundlePage(
    folder: string,
    modules: Readonly<Record<string, string>>,
  ): Promise<Readonly<Record<string, string>>>
  /** One module as browsers take it, minified, with all that it imports. */
  bundle(path: string): Promise<string>
}

/** Makes the client first. */
export async function openPageBundler(): Promise<PageBundler> {
  const packages = await mkdtemp(join(tmpdir(), 'isoplex-packages-'))
  await publishClient(packages)
  const published: BunPlugin = {
    name: 'published',
    setup: (build) => {
      build.onResolve({ filter: /^isoplex\/client$/ }, () => ({ path: join(packages, clientFile) }))
    },
  }
  const bundle = async (path: string): Promise<string> => {
    const entrypoints = [fileURLToPath(new URL(path, import.meta.url))]
    const { outputs } = await Bun.build({
      entrypoints,
      target: 'browser',
      minify: true,
      plugins: [published],
    })
    return (await outputs[0]?.text()) ?? ''
  }
  return {
    bundle,
    async bundlePage(folder, modules) {
      const files: Record<string, string> = { [`/${folder}/index.html`]: shellOf(folder) }
      for (const [name, path] of Object.entries(modules)) files[`/${folder}/${name}.js`] = await bundle(path)
      return files
    },
    [Symbol.asyncDispose]: () => rm(packages, { recursive: true, force: true }),
  }
}

function shellOf(title: string): string {
  return `<!doctype html><meta charset="utf-8"><title>${title}</title><script type="module" src="page.js"></script>`
}

/** Opens a page and waits for its first answer. */
export async function visit(page: Page, url: string): Promise<FirstAnswer> {
  await page.goto(url)
  const answer = await page.waitForFunction(
    () => Reflect.get(globalThis, 'firstAnswer') as FirstAnswer | undefined,
  )
  const first = await answer.jsonValue()
  if (first?.digit !== 7) throw new Error(`A page read a seven as ${first?.digit}.`)
  return first
}
