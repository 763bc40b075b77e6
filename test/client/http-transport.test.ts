import { describe, expect, it } from 'vitest'
import { exchangeOnce, type HttpRequest } from '../../runtime/client/http-transport.ts'
import type { ReplyReading } from '../../runtime/runner/reply-bytes.ts'
import { readReply } from '../../runtime/runner/reply-value.ts'
import { type HostileServer, startHostileServer } from '../support/hostile-server.ts'
import { readingOf } from './reading.ts'

const send = (url: string, init: RequestInit): Promise<Response> => fetch(url, init)

/** Reads a reply as calls do, with its headers. */
const read = async (response: Response, reading: ReplyReading) => ({
  ...(await readReply(response, reading)),
  headers: response.headers,
})

function requestTo({ url }: HostileServer, facts: Partial<HttpRequest> = {}): HttpRequest {
  return { method: 'POST', url: `${url}/a`, headers: {}, body: null, ...facts }
}

describe('exchangeOnce', () => {
  it('sends what it was given and reads what came', async () => {
    await using server = await startHostileServer()
    server.reply('/a', { kind: 'json', value: { a: 1 }, headers: { 'x-request-id': 'r-2' } })
    const request = requestTo(server, { headers: { 'x-a': 'b' }, body: Uint8Array.of(1, 2) })
    const outcome = await exchangeOnce(send, request, readingOf(), read)
    expect(outcome).toMatchObject({ value: { value: { a: 1 }, streams: false } })
    expect('value' in outcome && outcome.value.headers.get('x-request-id')).toBe('r-2')
    const [sent] = server.requests
    expect([sent?.method, sent?.headers.get('x-a'), sent?.body]).toEqual(['POST', 'b', Uint8Array.of(1, 2)])
  })

  it('follows nobody elsewhere, lest the token go there', async () => {
    await using thief = await startHostileServer()
    await using server = await startHostileServer()
    server.reply('/a', { kind: 'redirect', to: `${thief.url}/a`, status: 307 })
    const request = requestTo(server, { headers: { serve_multiplexed_model_id: 'secret' } })
    const outcome = await exchangeOnce(send, request, readingOf(), read)
    expect(outcome).toMatchObject({
      error: { code: 'FETCH_FAILED', details: { reason: 'status', status: 307 } },
    })
    expect(thief.requests).toEqual([])
  })

  it.each([
    ['breaks off', { kind: 'cut-off', body: '{"a":1}', afterBytes: 3 }, 'cut-off'],
    [
      'lies about its type',
      { kind: 'reply', body: '<html>', headers: { 'content-type': 'application/json' } },
      'content',
    ],
    ['is none of HTTP', { kind: 'raw', bytes: 'nonsense\r\n\r\n' }, 'connection'],
    ['never came', { kind: 'raw', bytes: '' }, 'connection'],
  ] as const)('gives the failure where a reply %s', async (_, behaviour, reason) => {
    await using server = await startHostileServer()
    server.reply('/a', behaviour)
    const outcome = await exchangeOnce(send, requestTo(server), readingOf(), read)
    expect(outcome).toMatchObject({ error: { code: 'FETCH_FAILED', details: { reason }, requestId: 'r-1' } })
  })

  it('gives the failure where nobody listens', async () => {
    const server = await startHostileServer()
    const request = requestTo(server)
    await server[Symbol.asyncDispose]()
    const outcome = await exchangeOnce(send, request, readingOf(), read)
    expect(outcome).toMatchObject({
      error: { code: 'FETCH_FAILED', details: { reason: 'connection' }, cause: expect.any(Error) },
      retryAfterMs: null,
    })
    expect('error' in outcome && outcome.error.message).toContain(new URL(request.url).origin)
  })

  it('ends with the call, before the reply and in the middle of it', async () => {
    await using server = await startHostileServer()
    server.reply('/a', { kind: 'never' }, { kind: 'stall', body: 'abc', afterBytes: 1 })
    for (const count of [1, 2]) {
      const controller = new AbortController()
      const { signal } = controller
      const outcome = exchangeOnce(send, requestTo(server), readingOf({ signal }), read)
      await server.until(({ requests }) => requests.length === count)
      controller.abort(new Error('gone'))
      await expect(outcome).rejects.toThrow('gone')
    }
  })
})
