import type { Page } from 'playwright-core'

/** A page of a benchmark, bundled, by the paths of its files. */
export type PageFiles = Readonly<Record<string, string>>

const shell = (title: string): string =>
  `<!doctype html><meta charset="utf-8"><title>${title}</title><script type="module" src="page.js"></script>`

/** Bundles modules for a page, minified: `page.ts` of a folder, and `worker.ts` where there is one. */
export async function bundlePage(folder: string, entries: readonly string[]): Promise<PageFiles> {
  const files: Record<string, string> = { [`/${folder}/index.html`]: shell(folder) }
  for (const entry of entries) {
    const path = new URL(`./peers/${folder}/${entry}.ts`, import.meta.url).pathname
    files[`/${folder}/${entry}.js`] = await bundle(path)
  }
  return files
}

/** One module as browsers take it, minified, with all that it imports. */
export async function bundle(path: string): Promise<string> {
  const { outputs } = await Bun.build({ entrypoints: [path], target: 'browser', minify: true })
  return (await outputs[0]?.text()) ?? ''
}

/** What a page says of its first answer, once it has it. */
export interface FirstAnswer {
  readonly digit: number
  /** From the start of the navigation, in milliseconds. */
  readonly elapsedMs: number
}

/** Visits a page and waits for its first answer. */
export async function visit(page: Page, url: string): Promise<FirstAnswer> {
  await page.goto(url)
  const answer = await page.waitForFunction(
    () => Reflect.get(globalThis, 'firstAnswer') as FirstAnswer | undefined,
  )
  return (await answer.jsonValue()) as FirstAnswer
}
