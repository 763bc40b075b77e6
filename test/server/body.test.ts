import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isIsoplexError } from '../../runtime/error/error.ts'
import { BodyBudget, type BodyLimits, type HeldBody, mayExceed, readBody } from '../../runtime/server/body.ts'
import { until } from '../support/server.ts'
import { exchange, TcpClient } from '../support/tcp-client.ts'

const limits: BodyLimits = { maxBytes: 300_000, timeoutMs: 400 }

/** What became of the bodies: the digest of each that was read, or the code of its refusal. */
let outcomes: string[]
let held: HeldBody[]
let budget: BodyBudget
let server: Bun.Server<undefined>

beforeEach(() => {
  outcomes = []
  held = []
  budget = new BodyBudget(1_000_000)
  server = Bun.serve({
    port: 0,
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    async fetch(request) {
      try {
        const body = await readBody(request, limits, budget)
        held.push(body)
        outcomes.push(digestOf(body.bytes))
      } catch (error) {
        outcomes.push(isIsoplexError(error) ? error.code : String(error))
      }
      return new Response(outcomes.at(-1), { headers: { connection: 'close' } })
    },
  })
})
afterEach(() => server.stop(true))

function digestOf(bytes: Uint8Array): string {
  return `${bytes.length} ${Bun.hash(bytes)}`
}

function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length)
  for (let offset = 0; offset < length; offset += 65_536) {
    crypto.getRandomValues(bytes.subarray(offset, offset + 65_536))
  }
  return bytes
}

/** Sends bytes with a length, or in chunks of a size. */
async function send(bytes: Uint8Array<ArrayBuffer>, chunkBytes?: number): Promise<string> {
  let offset = 0
  const chunks = new ReadableStream<Uint8Array>({
    pull(controller) {
      const chunk = bytes.subarray(offset, offset + (chunkBytes ?? bytes.length))
      offset += chunk.length
      if (chunk.length > 0) controller.enqueue(chunk.slice())
      else controller.close()
    },
  })
  const body = chunkBytes === undefined ? bytes : chunks
  return await (await fetch(server.url, { method: 'POST', body })).text()
}

const head = (...fields: readonly string[]): string =>
  ['POST / HTTP/1.1', 'Host: localhost', ...fields, '', ''].join('\r\n')

describe('a body', () => {
  it.each([
    [0, undefined],
    [1, undefined],
    [65_536, undefined],
    [65_537, undefined],
    [300_000, undefined],
    [0, 10],
    [1, 10],
    [10_000, 7],
    [200_000, 65_536],
    [300_000, 100_000],
  ])('of %i bytes in chunks of %s is read as it was sent', async (length, chunkBytes) => {
    const bytes = randomBytes(length)
    expect(await send(bytes, chunkBytes)).toBe(digestOf(bytes))
    expect(budget.usedBytes).toBe(length)
    for (const body of held) body.release()
    expect(budget.usedBytes).toBe(0)
  })

  it('is given back once, however often it is released', async () => {
    await send(randomBytes(1_000))
    await send(randomBytes(70_000))
    for (const body of held) body.release()
    for (const body of held) body.release()
    expect(budget.usedBytes).toBe(0)
  })

  it.each([undefined, 65_536])('beyond the limit is refused, in chunks of %s', async (chunkBytes) => {
    expect(await send(randomBytes(300_001), chunkBytes)).toBe('BODY_TOO_LARGE')
    expect(budget.usedBytes).toBe(0)
  })

  it('beyond the limit is refused before any of it has come, where it names its length', async () => {
    expect((await exchange(server.url.href, head('Content-Length: 300001'))).body).toBe('BODY_TOO_LARGE')
  })

  it.each([1_000, 70_000, null])(
    'that does not come in time is refused, with the length %s',
    async (length) => {
      const field = length === null ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`
      const startedMs = performance.now()
      const reply = await exchange(server.url.href, head(field), length === null ? '1\r\nx\r\n' : 'x')
      expect(reply.body).toBe('UPLOAD_TIMEOUT')
      expect(performance.now() - startedMs).toBeGreaterThan(limits.timeoutMs - 20)
      expect(budget.usedBytes).toBe(0)
    },
  )

  it.each([1_000, 70_000, null])('whose sender leaves is given up, with the length %s', async (length) => {
    using client = await TcpClient.connect(server.url.href)
    const field = length === null ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`
    await client.send(head(field), length === null ? '3e8\r\n' : '', 'x'.repeat(500))
    await until(() => budget.usedBytes > 0)
    client.leave()
    await until(() => outcomes.length > 0)
    expect(outcomes).toEqual(['CANCELLED'])
    expect(budget.usedBytes).toBe(0)
  })
})

describe('the budget', () => {
  it.each([undefined, 65_536])('refuses what goes beyond it, in chunks of %s', async (chunkBytes) => {
    const sizes = [300_000, 300_000, 300_000]
    for (const size of sizes) await send(randomBytes(size))
    expect(budget.usedBytes).toBe(900_000)
    expect(await send(randomBytes(100_001), chunkBytes)).toBe('QUEUE_FULL')
    expect(budget.usedBytes).toBe(900_000)
    const bytes = randomBytes(100_000)
    expect(await send(bytes, chunkBytes)).toBe(digestOf(bytes))
    expect(budget.usedBytes).toBe(1_000_000)
  })

  it('counts only what has come of a body, whatever length it names, once half of it is spent', async () => {
    await send(randomBytes(300_000))
    using client = await TcpClient.connect(server.url.href)
    await client.send(head('Content-Length: 300000'), 'x'.repeat(1_000))
    await until(() => budget.usedBytes > 300_000)
    expect(budget.usedBytes).toBe(301_000)
  })

  it('counts the length that a body names before that', async () => {
    using client = await TcpClient.connect(server.url.href)
    await client.send(head('Content-Length: 300000'), 'x'.repeat(1_000))
    await until(() => budget.usedBytes > 0)
    expect(budget.usedBytes).toBe(300_000)
  })
})

describe('a body that nobody reads', () => {
  it.each([
    [{}, false],
    [{ 'content-length': '0' }, false],
    [{ 'content-length': '100' }, false],
    [{ 'content-length': '101' }, true],
    [{ 'content-length': '9'.repeat(400) }, true],
    [{ 'transfer-encoding': 'chunked' }, true],
  ] as const)('may exceed a limit of 100 bytes by its headers %j: %s', (headers, exceeds) => {
    expect(mayExceed(new Headers(headers), 100)).toBe(exceeds)
  })
})
