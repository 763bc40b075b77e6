import type { TestServer } from '../support/server.ts'
import { compare, type Figure } from './figure.ts'
import type { PageBundler } from './web-page.ts'

/** What pages download of ours before anything of a model, compressed by gzip. */
export async function* measureSizes(
  { bundle }: PageBundler,
  server: TestServer,
): AsyncGenerator<Figure, void, undefined> {
  yield sizeFigure('web-client-size', await bundle('./fixtures/page/client.ts'), 12)
  const local = await bundle('./fixtures/page/local-client.ts')
  yield { ...sizeFigure('web-local-client-size', local, 12), goal: 'none', pass: true }
  yield sizeFigure('web-playground-size', await scriptsOf(server, '/-/playground'), 60)
}

function sizeFigure(name: string, script: string, limitKb: number): Figure {
  const kilobytes = Bun.gzipSync(script, { level: 9 }).length / 1_000
  const peer = `${limitKb} kB`
  return compare({ name, unit: 'kB', peer, goal: '<= 1', values: [kilobytes], peerValues: [limitKb] })
}

/** All scripts that a page starts with: those that it names, and what they import, one after the other. */
async function scriptsOf(server: TestServer, path: string): Promise<string> {
  const { text: page } = await server.call(path)
  const named = [...page.matchAll(/<script[^>]*\ssrc="([^"]+)"/g)].map(([, url = '']) => url)
  const texts = new Map<string, string>()
  const read = async (url: URL): Promise<void> => {
    if (texts.has(url.pathname)) return
    const { status, text } = await server.call(url.pathname)
    if (status !== 200) throw new Error(`The page ${path} names ${url.pathname}, which answers ${status}.`)
    texts.set(url.pathname, text)
    const { imports } = new Bun.Transpiler({ loader: 'js' }).scan(text)
    for (const { path: specifier, kind } of imports) {
      if (kind === 'import-statement') await read(new URL(specifier, url))
    }
  }
  for (const url of named) await read(new URL(url, server.url + path))
  if (texts.size === 0) throw new Error(`The page ${path} names no script.`)
  return [...texts.values()].join('\n')
}
