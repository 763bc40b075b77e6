import type { Page } from 'playwright-core'

/** What a page says of its first answer. */
export interface FirstAnswer {
  readonly digit: number
  /** From the start of the navigation, in milliseconds. */
  readonly elapsedMs: number
}

/** The files of a page by their paths: an `index.html` in a folder, and its modules, bundled and minified. */
export async function bundlePage(
  folder: string,
  modules: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, string>>> {
  const shell = `<!doctype html><meta charset="utf-8"><title>${folder}</title><script type="module" src="page.js"></script>`
  const files: Record<string, string> = { [`/${folder}/index.html`]: shell }
  for (const [name, path] of Object.entries(modules)) files[`/${folder}/${name}.js`] = await bundle(path)
  return files
}

/** One module as browsers take it, minified, with all that it imports. */
export async function bundle(path: string): Promise<string> {
  const file = new URL(path, import.meta.url).pathname
  const { outputs } = await Bun.build({
    entrypoints: [file],
    target: 'browser',
    // From the sources: what the package has of the client for pages is made when it is packed.
    conditions: ['bun'],
    minify: true,
  })
  return (await outputs[0]?.text()) ?? ''
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
