import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isIsoplexError } from '../../../runtime/error/error.ts'
import { artifactReply } from '../../../runtime/server/registry/artifact-reply.ts'
import { createScratch, type Scratch } from '../../model/scratch.ts'

const digest = 'a'.repeat(64)
const tag = `"${digest}"`
const content = '0123456789'

let scratch: Scratch
let server: Bun.Server<undefined>
beforeAll(async () => {
  scratch = await createScratch()
  const path = await scratch.write('artifact', content)
  server = Bun.serve({
    port: 0,
    fetch(request) {
      try {
        return artifactReply(request, { digest, path, sizeBytes: content.length })
      } catch (error) {
        return new Response(isIsoplexError(error) ? error.code : 'defect', { status: 416 })
      }
    },
  })
})
afterAll(async () => {
  await server.stop(true)
  await scratch[Symbol.asyncDispose]()
})

/** What a server that follows the RFC by its own rules would change: so it is asked over a socket. */
async function ask(headers: Readonly<Record<string, string>>, method = 'GET') {
  const reply = await fetch(server.url, { method, headers })
  return { status: reply.status, text: await reply.text(), headers: reply.headers }
}

describe('artifactReply', () => {
  it('gives the whole file with what a browser must not make of it', async () => {
    const { status, text, headers } = await ask({})
    expect({ status, text }).toEqual({ status: 200, text: content })
    expect(Object.fromEntries(headers)).toMatchObject({
      etag: tag,
      'accept-ranges': 'bytes',
      'cache-control': 'private, max-age=0',
      'content-type': 'application/octet-stream',
      'content-disposition': 'attachment',
      'content-length': '10',
      'x-content-type-options': 'nosniff',
    })
  })

  it.each([
    ['bytes=2-4', '234', 'bytes 2-4/10'],
    ['bytes=8-', '89', 'bytes 8-9/10'],
    ['bytes=-3', '789', 'bytes 7-9/10'],
    ['bytes=5-999', '56789', 'bytes 5-9/10'],
  ])('gives the part %s', async (range, text, contentRange) => {
    for (const headers of [{ range }, { range, 'if-range': tag }]) {
      const reply = await ask(headers)
      expect(reply).toMatchObject({ status: 206, text })
      expect(reply.headers.get('content-range')).toBe(contentRange)
      expect(reply.headers.get('content-length')).toBe(String(text.length))
    }
  })

  it.each([
    { range: 'bytes=0-1,3-4' },
    { range: 'bytes=4-2' },
    { range: 'chunks=0-1' },
    { range: 'bytes=2-4', 'if-range': '"other"' },
    { range: 'bytes=2-4', 'if-range': `W/${tag}` },
    { range: 'bytes=20-', 'if-range': 'Sun, 22 Nov 2026 00:00:00 GMT' },
  ])('gives the whole file for %j', async (headers) => {
    expect(await ask(headers)).toMatchObject({ status: 200, text: content })
  })

  it.each(['bytes=10-', 'bytes=-0'])('cannot give %s', async (range) => {
    expect(await ask({ range })).toMatchObject({ status: 416, text: 'RANGE_UNSATISFIABLE' })
  })

  it.each([tag, `W/${tag}`, `"b", ${tag}`, '*'])('gives nothing to who has %s', async (given) => {
    const reply = await ask({ 'if-none-match': given, range: 'bytes=0-1' })
    expect(reply).toMatchObject({ status: 304, text: '' })
    expect(reply.headers.get('etag')).toBe(tag)
  })

  it('tells of the whole file to HEAD, whatever range is asked for', async () => {
    for (const headers of [{}, { range: 'bytes=2-4' }]) {
      const reply = await ask(headers, 'HEAD')
      expect(reply).toMatchObject({ status: 200, text: '' })
      expect(reply.headers.get('content-length')).toBe('10')
    }
  })
})
