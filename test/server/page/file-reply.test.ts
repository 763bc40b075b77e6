import { readFile } from 'node:fs/promises'
import { brotliCompressSync, brotliDecompressSync, constants, gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CompressedFiles } from '../../../runtime/server/page/compressed-files.ts'
import { fileReply } from '../../../runtime/server/page/file-reply.ts'
import type { PageFile } from '../../../runtime/server/page/page-files.ts'
import { createScratch, type Scratch } from '../../model/scratch.ts'
import { nameFor } from './page-samples.ts'

const code = 'export const answer = 42\n'.repeat(200)

let scratch: Scratch
let server: Bun.Server<undefined>
let file: PageFile

beforeAll(async () => {
  scratch = await createScratch()
  const compressed = new CompressedFiles()
  const fast = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }
  const script: PageFile = {
    name: nameFor('worker', code),
    path: await scratch.write('worker', code),
    compressed: {
      br: await scratch.write('worker.br', brotliCompressSync(code, fast)),
      gzip: await scratch.write('worker.gz', gzipSync(code)),
    },
  }
  const wasm: PageFile = {
    name: nameFor('ort', 'wasm', 'wasm'),
    path: await scratch.write('ort', 'wasm'),
    compressed: {},
  }
  const files = new Map([
    ['/script', script],
    ['/wasm', wasm],
  ])
  file = script
  server = Bun.serve({
    port: 0,
    async fetch(request) {
      const asked = files.get(new URL(request.url).pathname)
      const reply = asked && (await fileReply(request, asked, 'immutable', compressed))
      return reply ?? new Response(null, { status: 404 })
    },
  })
})
afterAll(async () => {
  await server.stop(true)
  await scratch[Symbol.asyncDispose]()
})

/** Asks over a socket, and leaves the body as it was sent. */
async function ask(path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET') {
  const reply = await fetch(new URL(path, server.url), {
    method,
    headers: { 'accept-encoding': 'identity', ...headers },
    decompress: false,
  })
  return { status: reply.status, bytes: Buffer.from(await reply.arrayBuffer()), headers: reply.headers }
}

describe('fileReply', () => {
  it('is sent with what lets any page load it as what it is, and keep it for good', async () => {
    const { status, bytes, headers } = await ask('/script')
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
    const wasm = await ask('/wasm')
    expect(wasm.headers.get('content-type')).toBe('application/wasm')
    expect(wasm.headers.has('content-security-policy')).toBe(false)
  })

  it.each([
    ['br', brotliDecompressSync],
    ['gzip', gunzipSync],
  ] as const)('is sent as %s to whoever takes that, with the same bytes in it', async (encoding, decode) => {
    const { bytes, headers } = await ask('/script', { 'accept-encoding': encoding })
    expect(headers.get('content-encoding')).toBe(encoding)
    expect(headers.get('content-length')).toBe(String(bytes.length))
    expect(headers.get('vary')).toBe('accept-encoding')
    expect(decode(bytes).toString()).toBe(code)
    expect(bytes.length).toBeLessThan(code.length / 10)
  })

  it('is sent as it is where no compressed form is there', async () => {
    const { bytes, headers } = await ask('/wasm', { 'accept-encoding': 'br, gzip' })
    expect(bytes.toString()).toBe('wasm')
    expect(headers.has('content-encoding')).toBe(false)
  })

  it('has a tag for each encoding, by which it is not sent twice', async () => {
    const tags = new Set<string>()
    for (const encoding of ['identity', 'gzip', 'br']) {
      const headers = { 'accept-encoding': encoding }
      const tag = (await ask('/script', headers)).headers.get('etag') ?? ''
      tags.add(tag)
      const again = await ask('/script', { ...headers, 'if-none-match': `"x", W/${tag}` })
      expect({ status: again.status, size: again.bytes.length }).toEqual({ status: 304, size: 0 })
      expect(again.headers.get('etag')).toBe(tag)
      expect(again.headers.get('cache-control')).toContain('immutable')
      expect((await ask('/script', { ...headers, 'if-none-match': '"x"' })).status).toBe(200)
    }
    expect(tags.size).toBe(3)
  })

  it('tells HEAD what GET would bring', async () => {
    const { status, bytes, headers } = await ask('/script', { 'accept-encoding': 'br' }, 'HEAD')
    expect({ status, size: bytes.length }).toEqual({ status: 200, size: 0 })
    const packed = await readFile(scratch.path('worker.br'))
    expect(headers.get('content-length')).toBe(String(packed.length))
    expect(headers.get('content-encoding')).toBe('br')
  })

  it('is sent whole whatever range is asked for', async () => {
    for (const encoding of ['identity', 'br']) {
      const { status, bytes } = await ask('/script', {
        range: 'bytes=2-4',
        'accept-encoding': encoding,
      })
      expect(status).toBe(200)
      expect((encoding === 'br' ? brotliDecompressSync(bytes) : bytes).toString()).toBe(code)
    }
  })

  it('is none where the file is not there any more', async () => {
    const gone: PageFile = { ...file, path: scratch.path('gone') }
    const request = new Request('http://localhost/')
    expect(await fileReply(request, gone, 'revalidated', new CompressedFiles())).toBeNull()
  })
})
