import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type OutboundRequest, type OutboundResponse, request } from '../../runtime/network/outbound.ts'
import type { HostileBehaviour } from '../support/hostile-behaviour.ts'
import { type HostileServer, startHostileServer } from '../support/hostile-server.ts'
import { fetchErrorOf } from './refusals.ts'

let server: HostileServer
beforeAll(async () => {
  server = await startHostileServer()
})
afterAll(() => server[Symbol.asyncDispose]())

function open(
  behaviour: HostileBehaviour,
  options: Partial<OutboundRequest> = {},
): Promise<OutboundResponse> {
  server.reply('/body', behaviour)
  return request({ url: `${server.url}/body`, policy: { origins: [server.url], hosts: [] }, ...options })
}

async function sizeOf({ body }: OutboundResponse): Promise<number> {
  let bytes = 0
  for await (const chunk of body) bytes += chunk.length
  return bytes
}

function allFreed(): Promise<void> {
  return server.until(({ connections }) => connections === 0)
}

const large = 'x'.repeat(300_000)
const raw = (text: string): HostileBehaviour => ({ kind: 'raw', bytes: text })

describe('the bytes of a reply', () => {
  it.each([
    ['a length', { kind: 'reply', body: large }, 300_000],
    [
      'a length that is less than what comes',
      { kind: 'wrong-length', body: large, lengthBytes: 200_000 },
      200_000,
    ],
    ['chunks', raw('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n'), 3],
    ['neither', raw(`HTTP/1.1 200 OK\r\n\r\n${large}`), 300_000],
    ['a word ahead', raw('HTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nab'), 2],
    ['no body at all', raw('HTTP/1.1 204 No Content\r\n\r\n'), 0],
    ['a drip that is no slower than allowed', { kind: 'drip', body: 'slow', everyMs: 5 }, 4],
  ] as const)('come whole with %s', async (_, behaviour, bytes) => {
    expect(await sizeOf(await open(behaviour))).toBe(bytes)
    await allFreed()
  })

  it.each([
    ['a length', { kind: 'cut-off', body: large, afterBytes: 200_000 }],
    ['a length that is more than what comes', { kind: 'wrong-length', body: large, lengthBytes: 300_001 }],
    ['a length, and none of it', { kind: 'cut-off', body: large, afterBytes: 0 }],
    ['a reset', { kind: 'cut-off', body: large, afterBytes: 200_000, reset: true }],
    ['chunks', raw('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n')],
    ['a broken chunk', raw('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n')],
  ] as const)('fail as cut off where they end early with %s', async (_, behaviour) => {
    const response = await open(behaviour)
    expect((await fetchErrorOf(() => sizeOf(response))).what).toBe('FETCH_FAILED: cut-off')
    await allFreed()
  })

  it('fail as cut off also where the end came before anybody read', async () => {
    const response = await open({ kind: 'cut-off', body: large, afterBytes: 10 })
    await allFreed()
    expect((await fetchErrorOf(() => sizeOf(response))).what).toBe('FETCH_FAILED: cut-off')
  })

  it('fail where the server stops sending', async () => {
    const response = await open({ kind: 'stall', body: large, afterBytes: 10 }, { idleTimeoutMs: 30 })
    expect((await fetchErrorOf(() => sizeOf(response))).what).toBe('FETCH_FAILED: timeout')
    await allFreed()
  })

  it('do not fail because their reader is slow', async () => {
    const response = await open({ kind: 'reply', body: large }, { idleTimeoutMs: 30 })
    let bytes = 0
    for await (const chunk of response.body) {
      if (bytes === 0) await Bun.sleep(60)
      bytes += chunk.length
    }
    expect(bytes).toBe(300_000)
  })

  it('are not read ahead of their reader', async () => {
    const chunk = 'x'.repeat(65_536)
    const response = await open({ kind: 'endless', chunk })
    let chunks = 0
    let sent = 0
    for await (const _ of response.body) {
      chunks += 1
      // Without being held back the server would send gigabytes meanwhile.
      await Bun.sleep(10)
      if (chunks === 20) sent = server.sentBytes
      if (chunks === 20) break
    }
    expect(sent).toBeGreaterThan(65_536)
    expect(sent).toBeLessThan(50_000_000)
    await allFreed()
  })

  it.each([
    ['a gzip of very many zeros', { kind: 'gzip-bomb', unpackedBytes: 50_000_000 }],
    ['a content encoding', { kind: 'reply', headers: { 'content-encoding': 'br' }, body: 'x' }],
    [
      'a transfer encoding',
      raw('HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n'),
    ],
  ] as const)('are not unpacked, and refused: %s', async (_, behaviour) => {
    const response = await open(behaviour)
    expect(response.status).toBe(200)
    expect((await fetchErrorOf(() => sizeOf(response))).what).toBe('FETCH_FAILED: encoding')
    await allFreed()
  })

  it('may say of themselves that they are not packed', async () => {
    const headers = { 'content-encoding': 'Identity' }
    expect(await sizeOf(await open({ kind: 'reply', headers, body: 'x' }))).toBe(1)
  })
})

describe('a connection', () => {
  const endless: HostileBehaviour = { kind: 'endless', chunk: 'x'.repeat(65_536) }

  it('is freed when its reader stops early', async () => {
    for await (const _ of (await open(endless)).body) break
    await allFreed()
  })

  it('is freed when the reply is cancelled, read or not', async () => {
    const unread = await open(endless)
    unread.cancel()
    unread.cancel()
    await allFreed()
    await expect(sizeOf(unread)).rejects.toMatchObject({ name: 'AbortError' })
    const half = await open(endless)
    const reading = sizeOf(half)
    half.cancel()
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' })
    await allFreed()
  })

  it('is freed when the caller leaves, who never takes a part for the whole', async () => {
    const caller = new AbortController()
    const response = await open(endless, { signal: caller.signal })
    let chunks = 0
    const read = async (): Promise<void> => {
      for await (const _ of response.body) if (++chunks === 3) caller.abort(new Error('enough'))
    }
    await expect(read()).rejects.toThrow('enough')
    await allFreed()
  })
})
