import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PageIndex } from '../../runtime/server/page/page-index.ts'
import { hasChromium, launchChromium } from '../support/chromium.ts'
import { makeProject, startServer, type TestProject, type TestServer } from '../support/server.ts'

/** A function that runs in both places and says what its helper exports. */
const telling = `import { defineFunction } from 'isoplex'
import { word } from './_lib/word.ts'
export default defineFunction({
  access: 'public',
  runs: ['server', 'browser'],
  handler: () => ({ word, page: typeof document === 'undefined' && typeof Bun === 'undefined' }),
})
`
/** A function that answers with a page whose rules are those of a strict site. */
const hosting = `import { defineFunction } from 'isoplex'
const headers = {
  'content-type': 'text/html',
  'content-security-policy':
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; img-src data:",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
}
const page = '<!doctype html><link rel="icon" href="data:,"><title>Host</title>'
export default defineFunction({ access: 'public', handler: () => new Response(page, { headers }) })
`
/** What a page does to call the function in its own worker; as text, since it is for the page as it stands. */
const callTell = `(async () => {
  const { createClient, webEngine } = await import('/-/browser/client.js')
  const client = createClient({ baseUrl: location.origin, local: webEngine() })
  const { output, ran } = await client.tell.call({ where: 'browser' })
  return { output, where: ran.where, isolated: crossOriginIsolated }
})()`
const word = (text: string): string => `export const word = '${text}'\n`

describe('isoplex dev with a function that runs in browsers', () => {
  let project: TestProject
  let server: TestServer

  beforeAll(async () => {
    project = await makeProject({
      'functions/tell.ts': telling,
      'functions/host.ts': hosting,
      'functions/_lib/word.ts': word('first'),
    })
    server = await startServer(project, 'dev', ['--replicas', '1'])
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
    await project[Symbol.asyncDispose]()
  })

  const index = async (): Promise<PageIndex> => (await server.call('/-/browser/index.json')).json
  const bundle = async (name: string) => server.call(`/-/browser/${name}`)
  const bundleName = async (): Promise<string> => (await index()).functions.tell?.bundle ?? ''
  const liveWith = (member: 'changed' | 'mended') =>
    server.event((event) => event.event === 'live' && (event[member] as string[]).length > 0)

  it('lists it and serves all that it lists, so that it can be kept for good', async () => {
    const { functions, files } = await index()
    expect(functions).toEqual({ tell: { bundle: expect.stringMatching(/^tell\.browser-/), hasModel: false } })
    for (const name of files) {
      const { status, headers } = await server.call(`/-/browser/${name}`, { method: 'HEAD' })
      expect({ name, status }).toEqual({ name, status: 200 })
      expect(headers.get('cache-control')).toContain('immutable')
    }
  })

  it('answers with a problem for what is not listed', async () => {
    for (const path of [
      '/-/browser/',
      '/-/browser/key',
      '/-/browser/..%2F..%2Fkey',
      '/-/browser/%',
      '/-/browser/a/b',
    ])
      expect([400, 404]).toContain((await server.call(path)).status)
    expect((await server.call('/-/browser/index.json', { method: 'POST', json: {} })).status).toBe(405)
  })

  it('tells where the playground is', async () => {
    const { playground } = await server.event(({ event }) => event === 'listening')
    expect(playground).toBe(`${new URL(server.url).origin}/-/playground`)
    const { status, headers, text } = await server.call('/-/playground')
    expect(status).toBe(200)
    expect(headers.get('content-security-policy')).toContain("script-src 'self' 'wasm-unsafe-eval';")
    const [, script = ''] = /src="(\/-\/browser\/playground-[^"]+)"/.exec(text) ?? []
    expect((await server.call(script)).status).toBe(200)
  })

  it.runIf(hasChromium)(
    'runs in a page of a strict site, with all that it needs from the server',
    async () => {
      const browser = await launchChromium()
      const complaints: string[] = []
      try {
        const page = await browser.newPage()
        page.on('console', (message) => complaints.push(message.text()))
        page.on('pageerror', (error) => complaints.push(error.message))
        await page.goto(`${server.url}/host`)
        expect(await page.evaluate(callTell)).toEqual({
          output: { word: 'first', page: true },
          where: 'browser',
          isolated: true,
        })
        const importing = `import('/-/browser/${await bundleName()}').then((module) => module.default.kind)`
        expect(await page.evaluate(importing)).toBe('function')
        expect(complaints).toEqual([])
      } finally {
        await browser.close()
      }
    },
  )

  it('lists another bundle once its helper has changed, and still serves the one before', async () => {
    const before = await bundleName()
    const tag = (await server.call('/-/browser/index.json')).headers.get('etag') ?? ''
    await project.write('functions/_lib/word.ts', word('second'))
    await liveWith('changed')
    const after = await bundleName()
    expect(after).not.toBe(before)
    expect((await bundle(after)).text).toContain('second')
    expect((await bundle(before)).text).toContain('first')
    const again = await server.call('/-/browser/index.json', { headers: { 'if-none-match': tag } })
    expect(again.status).toBe(200)
  })

  it('keeps its last good bundle while it imports what only a server has, and says by which way', async () => {
    const good = await bundleName()
    await project.write(
      'functions/_lib/word.ts',
      `import { hostname } from 'node:os'\n${word('third')}export { hostname }\n`,
    )
    const broken = await server.event(({ event }) => event === 'broken')
    expect(broken).toMatchObject({
      file: 'functions/tell.ts',
      place: { file: 'functions/_lib/word.ts', line: 1 },
      reason: expect.stringContaining(
        'functions/tell.ts > functions/_lib/word.ts > node:os, which only a server has',
      ),
      served: true,
    })
    expect(await bundleName()).toBe(good)
    expect((await bundle(good)).text).toContain('second')
    expect((await server.call('/tell')).json.word).toBe('second')
    await project.write('functions/_lib/word.ts', word('fourth'))
    await liveWith('mended')
    expect((await bundle(await bundleName())).text).toContain('fourth')
  })
})
