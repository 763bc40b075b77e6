import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasChromium, launchChromium } from '../support/chromium.ts'
import { makeProject, startServer, type TestProject, type TestServer } from '../support/server.ts'

const functions = {
  'functions/double.ts': `import { Type } from '@sinclair/typebox'
import { defineFunction, file, tensor, tensorOf } from 'isoplex'
const Thing = Type.Object({ x: tensorOf('float32', ['n']), picture: file() })
export default defineFunction({
  access: 'public',
  input: Thing,
  output: Thing,
  handler: ({ input: { x, picture } }) => ({ x: tensor('float32', x.data.map((value) => 2 * value), x.dims), picture }),
})
`,
  'functions/numbers.ts': `import { defineFunction, tensor } from 'isoplex'
export default defineFunction({ access: 'public', handler: () => tensor('int16', Int16Array.of(1, 2), [2, 1]) })
`,
  'functions/count.ts': `import { defineFunction } from 'isoplex'
export default defineFunction({ access: 'public', async *handler() { for (let n = 1; ; n += 1) yield n } })
`,
  'functions/work.ts': `import { Type } from '@sinclair/typebox'
import { defineAction, file } from 'isoplex'
export default defineAction({
  access: 'public',
  params: Type.Object({ picture: file() }),
  async execute({ params: { picture }, setProgress }) {
    setProgress(1, 1, 'inference')
    return { bytes: picture.bytes.length }
  },
})
`,
  'functions/secret.ts': `import { defineFunction } from 'isoplex'
export default defineFunction({ handler: () => 'secret' })
`,
}

/** What the page runs: each answer as plain data, since that is what comes out of a page. */
const script = `import { createClient, isIsoplexError, tensor } from './client.js'

const baseUrl = new URLSearchParams(location.search).get('server')
const client = createClient({ baseUrl })
const codeOf = (error) => isIsoplexError(error) && error.code

globalThis.double = async () => {
  const picture = new File([Uint8Array.of(0, 13, 10)], 'ä.png', { type: 'image/png' })
  const { output, ran } = await client.double.call({ input: { x: tensor('float32', Float32Array.of(1, NaN), [2]), picture } })
  const { x, picture: back } = output
  return { x: x.toArray().map(String), bytes: [...back.bytes], name: back.name, type: back.mediaType, ran }
}
globalThis.numbers = async () => {
  const { output } = await client.numbers.call()
  return [output.type, output.dims, output.toArray()]
}
globalThis.count = async () => {
  const read = []
  for await (const item of (await client.count.call()).output) if (read.push(item) === 3) return read
}
globalThis.work = async () => {
  const job = await client.work.submit({ picture: new Blob([Uint8Array.of(1, 2, 3)]) })
  const kinds = new Set()
  for await (const { kind } of job.events()) kinds.add(kind)
  return { result: await job.result(), state: (await job.refresh()).state, progress: kinds.has('progress') }
}
globalThis.secret = () => createClient({ baseUrl, token: 'none' }).secret.call().catch(codeOf)
globalThis.nobody = () => createClient({ baseUrl: 'http://127.0.0.1:1', retries: 0 }).a.call().catch((error) => [codeOf(error), error.details])
globalThis.cancelled = async () => {
  const caller = new AbortController()
  const { output } = await client.count.call({ signal: caller.signal })
  caller.abort()
  try {
    for await (const _ of output);
  } catch (error) {
    return codeOf(error)
  }
}
globalThis.ready = true
`

let project: TestProject
let server: TestServer
let site: Bun.Server<undefined>
let browser: Browser
let page: Page
const faults: string[] = []

describe.runIf(hasChromium)('a page of another origin', () => {
  beforeAll(async () => {
    const { outputs } = await Bun.build({
      entrypoints: [new URL('../../runtime/client/index.ts', import.meta.url).pathname],
      target: 'browser',
      minify: true,
    })
    const bundle = await outputs[0]?.text()
    const scripts: Readonly<Record<string, string | undefined>> = { '/client.js': bundle, '/page.js': script }
    site = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: ({ url }) => {
        const text = scripts[new URL(url).pathname]
        const type = text === undefined ? 'text/html' : 'text/javascript'
        const body = text ?? '<link rel="icon" href="data:,"><script type="module" src="/page.js"></script>'
        return new Response(body, { headers: { 'content-type': type } })
      },
    })
    project = await makeProject(functions, { corsOrigins: [site.url.origin] })
    server = await startServer(project)
    browser = await launchChromium()
    page = await browser.newPage()
    page.on('pageerror', (error) => faults.push(error.message))
    await page.goto(`${site.url}?server=${encodeURIComponent(server.url)}`)
    await page.waitForFunction('globalThis.ready')
  })

  afterAll(async () => {
    await browser.close()
    await server[Symbol.asyncDispose]()
    await project[Symbol.asyncDispose]()
    await site.stop(true)
  })

  it('has tensors and files both ways, and all that a reply says of itself', async () => {
    expect(await page.evaluate('double()')).toEqual({
      x: ['2', 'NaN'],
      bytes: [0, 13, 10],
      name: 'ä.png',
      type: 'image/png',
      ran: {
        where: 'server',
        provider: null,
        model: null,
        requestId: expect.stringMatching(/^[0-9a-f]{32}$/),
        tookMs: expect.any(Number),
        queueMs: expect.any(Number),
        inferMs: expect.any(Number),
        fellBack: null,
        reason: null,
      },
    })
    expect(await page.evaluate('numbers()')).toEqual(['int16', [2, 1], [1, 2]])
  })

  it('reads streams, and ends them', async () => {
    expect(await page.evaluate('count()')).toEqual([1, 2, 3])
    expect(await page.evaluate('cancelled()')).toBe('CANCELLED')
  })

  it('submits jobs, and follows them', async () => {
    expect(await page.evaluate('work()')).toEqual({
      result: { bytes: 3 },
      state: 'succeeded',
      progress: true,
    })
  })

  it('is told why a call fails', async () => {
    expect(await page.evaluate('secret()')).toBe('TOKEN_INVALID')
    expect(await page.evaluate('nobody()')).toEqual(['FETCH_FAILED', { reason: 'connection' }])
    expect(faults).toEqual([])
  })
})
