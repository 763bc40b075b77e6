import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PieceRange } from '../../../runtime/job/service.ts'
import { contentReply, type ReadPiece } from '../../../runtime/server/job/content-reply.ts'

interface Content {
  readonly read: ReadPiece
  /** What has been read. */
  readonly ranges: readonly PieceRange[]
}

/** A content that is read as the store reads it. */
function contentOf(whole: Uint8Array<ArrayBuffer>, mediaType = 'text/csv'): Content {
  const ranges: PieceRange[] = []
  return {
    ranges,
    async read(range) {
      ranges.push(range)
      const bytes = whole.slice(range.offset, range.offset + range.maxBytes)
      return { bytes, mediaType, totalBytes: whole.length }
    },
  }
}

function bytesUpTo(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, index) => index % 251)
}

function reply(content: Content, headers: Record<string, string> = {}, method = 'GET'): Promise<Response> {
  return contentReply(new Request('http://localhost/', { method, headers }), 'a.csv', content.read)
}

const largeBytes = 1_000_000

describe('a content', () => {
  it.each([0, 1, 262_144, 262_145, largeBytes])('of %d bytes comes whole', async (length) => {
    const got = await reply(contentOf(bytesUpTo(length)))
    expect(got.status).toBe(200)
    expect(got.headers.get('accept-ranges')).toBe('bytes')
    expect(Buffer.compare(await got.bytes(), bytesUpTo(length))).toBe(0)
  })

  it('is read piece by piece, and no faster than somebody reads it', async () => {
    const content = contentOf(bytesUpTo(largeBytes))
    const reader = (await reply(content)).body?.getReader()
    expect(content.ranges).toHaveLength(1)
    await reader?.read()
    expect(content.ranges).toHaveLength(2)
    expect(Math.max(...content.ranges.map(({ maxBytes }) => maxBytes))).toBeLessThanOrEqual(262_144)
    await reader?.cancel()
  })

  it('comes in parts as well, and each part is that of the whole', async () => {
    const whole = bytesUpTo(600_000)
    await fc.assert(
      fc.asyncProperty(fc.nat(599_999), fc.nat(700_000), async (start, length) => {
        const got = await reply(contentOf(whole), { range: `bytes=${start}-${start + length}` })
        const end = Math.min(whole.length, start + length + 1)
        expect(got.status).toBe(206)
        expect(got.headers.get('content-range')).toBe(`bytes ${start}-${end - 1}/600000`)
        expect(Buffer.compare(await got.bytes(), whole.slice(start, end))).toBe(0)
      }),
      { numRuns: 30 },
    )
  })

  it.each([
    ['bytes=-5', 206, 5],
    ['bytes=95-', 206, 5],
    ['bytes=0-0', 206, 1],
    ['bytes=5-1', 200, 100],
    ['bytes=0-1,3-4', 200, 100],
    ['lines=0-1', 200, 100],
    ['bytes=a-b', 200, 100],
  ])('with the range %s gives %d and %d bytes', async (range, status, length) => {
    const got = await reply(contentOf(bytesUpTo(100)), { range })
    expect(got.status).toBe(status)
    expect((await got.bytes()).length).toBe(length)
  })

  it('refuses a range behind its end', async () => {
    await expect(reply(contentOf(bytesUpTo(100)), { range: 'bytes=100-' })).rejects.toMatchObject({
      code: 'RANGE_UNSATISFIABLE',
      details: { sizeBytes: 100 },
    })
  })

  it('comes whole to whoever cannot know of what he has a part', async () => {
    const got = await reply(contentOf(bytesUpTo(100)), { range: 'bytes=5-', 'if-range': '"x"' })
    expect(got.status).toBe(200)
  })

  it('is told of by HEAD as it would come', async () => {
    const small = await reply(contentOf(bytesUpTo(100)), { range: 'bytes=5-' }, 'HEAD')
    expect([small.status, (await small.bytes()).length]).toEqual([200, 100])
    const large = await reply(contentOf(bytesUpTo(largeBytes)), {}, 'HEAD')
    expect([large.headers.get('transfer-encoding'), large.body]).toEqual(['chunked', null])
  })

  it('breaks off where its name has come to mean another', async () => {
    const contents = [contentOf(bytesUpTo(largeBytes)), contentOf(bytesUpTo(largeBytes - 1))]
    const changing: Content = {
      ranges: [],
      read: async (range) => await (contents.shift() ?? contentOf(bytesUpTo(5))).read(range),
    }
    await expect((await reply(changing)).bytes()).rejects.toThrow('changed')
  })
})

describe('what an action has made', () => {
  it('is never a page of this server', async () => {
    const page = new TextEncoder().encode('<script>alert(1)</script>')
    const got = await reply(contentOf(page, 'text/html'))
    expect(Object.fromEntries(got.headers)).toMatchObject({
      'content-type': 'text/html',
      'content-disposition': 'attachment; filename="a.csv"',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "sandbox; default-src 'none'",
      'cache-control': 'no-store',
    })
  })

  it.each(['application/json', 'application/x-ndjson'])('may be looked at where it is %s', async (type) => {
    const { headers } = await reply(contentOf(bytesUpTo(5), type))
    expect(headers.get('content-disposition')).toBe('inline; filename="a.csv"')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
  })

  it.each(['', 'text', 'text/html\r\nx-a: b', 'text/html, text/plain', 'text/', 'téxt/html'])(
    'is plain bytes where its media type is none: %j',
    async (type) => {
      const { headers } = await reply(contentOf(bytesUpTo(5), type))
      expect(headers.get('content-type')).toBe('application/octet-stream')
    },
  )

  it('keeps the parameters of its media type', async () => {
    const { headers } = await reply(contentOf(bytesUpTo(5), 'text/plain; charset=utf-8'))
    expect(headers.get('content-type')).toBe('text/plain; charset=utf-8')
  })
})
