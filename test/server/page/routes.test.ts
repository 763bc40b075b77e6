import { readFile } from 'node:fs/promises'
import { brotliCompressSync, brotliDecompressSync, constants, gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isIsoplexError } from '../../../runtime/error/error.ts'
import type { PageFile, PageFiles } from '../../../runtime/server/page/page-files.ts'
import { createPageRoutes } from '../../../runtime/server/page/routes.ts'
import type { SystemHandler } from '../../../runtime/server/system-route.ts'
import { createScratch, type Scratch } from '../../model/scratch.ts'
import { nameFor } from './page-samples.ts'

const code = 'export const answer = 42\n'.repeat(200)
const name = nameFor('worker', code)
const wasmName = nameFor('ort', 'wasm', 'wasm')
const goneName = nameFor('gone', 'gone')

let scratch: Scratch
let server: Bun.Server<undefined>
let index: string | null = '{ "isoplexPage": 1 }'

beforeAll(async () => {
  scratch = await createScratch()
  const script: PageFile = {
    name,
    path: await scratch.write('worker', code),
    compressed: {
      br: await scratch.write(
        'worker.br',
        brotliCompressSync(code, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }),
      ),
      gzip: await scratch.write('worker.gz', gzipSync(code)),
    },
  }
  const wasm: PageFile = { name: wasmName, path: await scratch.write('ort', 'wasm'), compressed: {} }
  const gone: PageFile = { name: goneName, path: scratch.path('gone'), compressed: {} }
  const served = new Map([script, wasm, gone].map((file) => [file.name, file]))
  const files: PageFiles = {
    index: async () => index,
    find: async (asked) => served.get(asked) ?? null,
    client: async () => script,
    playground: async () => (index === null ? null : { script: name, styles: null }),
  }
  const handlers = new Map(createPageRoutes(files).map(({ path, handlers }) => [path, handlers.GET]))
  server = Bun.serve({ port: 0, fetch: (request) => answer(handlers, request) })
})
afterAll(async () => {
  await server.stop(true)
  await scratch[Symbol.asyncDispose]()
})

/** Routes as the app does, which decodes what stands in a path's place. */
async function answer(
  handlers: ReadonlyMap<string, SystemHandler | undefined>,
  request: Request,
): Promise<Response> {
  const { pathname } = new URL(request.url)
  const named = handlers.get('/-/browser/:file')
  const parameters = [decodeURIComponent(pathname.slice('/-/browser/'.length))]
  try {
    return await ((handlers.get(pathname) ?? named)?.({ request, parameters }) ?? new Response(null))
  } catch (error) {
    return new Response(isIsoplexError(error) ? error.code : String(error), { status: 404 })
  }
}

/** Asks over a socket, and leaves the body as it was sent. */
async function ask(path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET') {
  const reply = await fetch(new URL(path, server.url), {
    method,
    headers: { 'accept-encoding': 'identity', ...headers },
    decompress: false,
  })
  return { status: reply.status, bytes: Buffer.from(await reply.arrayBuffer()), headers: reply.headers }
}

describe('a file for pages', () => {
  it('is sent with what lets any page load it as what it is, and keep it for good', async () => {
    const { status, bytes, headers } = await ask(`/-/browser/${name}`)
    expect({ status, text: bytes.toString() }).toEqual({ status: 200, text: code })
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'content-length': String(code.length),
      'cache-control': 'public, max-age=31536000, immutable',
      'cross-origin-resource-policy': 'cross-origin',
      'cross-origin-embedder-policy': 'require-corp',
      'content-security-policy': "script-src 'self' 'wasm-unsafe-eval'",
      'x-content-type-options': 'nosniff',
      vary: 'accept-encoding',
    })
    expect(headers.has('content-encoding')).toBe(false)
    const wasm = await ask(`/-/browser/${wasmName}`)
    expect(wasm.headers.get('content-type')).toBe('application/wasm')
    expect(wasm.headers.has('content-security-policy')).toBe(false)
  })

  it.each([
    ['br', brotliDecompressSync],
    ['gzip', gunzipSync],
  ] as const)('is sent as %s to whoever takes that, with the same bytes in it', async (encoding, decode) => {
    const { bytes, headers } = await ask(`/-/browser/${name}`, { 'accept-encoding': encoding })
    expect(headers.get('content-encoding')).toBe(encoding)
    expect(headers.get('content-length')).toBe(String(bytes.length))
    expect(headers.get('vary')).toBe('accept-encoding')
    expect(decode(bytes).toString()).toBe(code)
    expect(bytes.length).toBeLessThan(code.length / 10)
  })

  it('is sent as it is where no compressed form is there', async () => {
    const { bytes, headers } = await ask(`/-/browser/${wasmName}`, { 'accept-encoding': 'br, gzip' })
    expect(bytes.toString()).toBe('wasm')
    expect(headers.has('content-encoding')).toBe(false)
  })

  it('has a tag for each encoding, by which it is not sent twice', async () => {
    const tags = new Set<string>()
    for (const encoding of ['identity', 'gzip', 'br']) {
      const headers = { 'accept-encoding': encoding }
      const tag = (await ask(`/-/browser/${name}`, headers)).headers.get('etag') ?? ''
      tags.add(tag)
      const again = await ask(`/-/browser/${name}`, { ...headers, 'if-none-match': `"x", W/${tag}` })
      expect({ status: again.status, size: again.bytes.length }).toEqual({ status: 304, size: 0 })
      expect(again.headers.get('etag')).toBe(tag)
      expect(again.headers.get('cache-control')).toContain('immutable')
      expect((await ask(`/-/browser/${name}`, { ...headers, 'if-none-match': '"x"' })).status).toBe(200)
    }
    expect(tags.size).toBe(3)
  })

  it('tells HEAD what GET would bring', async () => {
    const { status, bytes, headers } = await ask(`/-/browser/${name}`, { 'accept-encoding': 'br' }, 'HEAD')
    expect({ status, size: bytes.length }).toEqual({ status: 200, size: 0 })
    const packed = await readFile(scratch.path('worker.br'))
    expect(headers.get('content-length')).toBe(String(packed.length))
    expect(headers.get('content-encoding')).toBe('br')
  })

  it('is sent whole whatever range is asked for', async () => {
    for (const encoding of ['identity', 'br']) {
      const { status, bytes } = await ask(`/-/browser/${name}`, {
        range: 'bytes=2-4',
        'accept-encoding': encoding,
      })
      expect(status).toBe(200)
      expect((encoding === 'br' ? brotliDecompressSync(bytes) : bytes).toString()).toBe(code)
    }
  })

  it.each([
    'worker',
    '..%2fworker',
    '%2e%2e%2f%2e%2e%2fetc%2fpasswd',
    `${name}.br`,
    `x%2f${name}`,
    goneName,
    `${name}%00`,
  ])('is not found by the name %s', async (asked) => {
    const { status, bytes } = await ask(`/-/browser/${asked}`)
    expect({ status, text: bytes.toString() }).toEqual({ status: 404, text: 'ROUTE_NOT_FOUND' })
  })
})

describe('index.json and client.js', () => {
  it('are asked for anew each time, and not sent twice', async () => {
    for (const path of ['/-/browser/index.json', '/-/browser/client.js']) {
      const { headers } = await ask(path)
      expect(headers.get('cache-control')).toBe('no-cache')
      expect(headers.get('cross-origin-resource-policy')).toBe('cross-origin')
      const again = await ask(path, { 'if-none-match': headers.get('etag') ?? '' })
      expect({ status: again.status, size: again.bytes.length }).toEqual({ status: 304, size: 0 })
    }
    expect((await ask('/-/browser/index.json')).headers.get('content-type')).toMatch(/^application\/json/)
  })

  it('are not there, nor is the playground, where nothing is served to pages', async () => {
    index = null
    for (const path of ['/-/browser/index.json', '/-/playground'])
      expect((await ask(path)).bytes.toString()).toBe('ROUTE_NOT_FOUND')
    index = '{}'
  })
})
