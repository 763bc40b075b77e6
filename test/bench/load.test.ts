import { describe, expect, it } from 'vitest'
import { requireOrSkip } from '../support/requirement.ts'
import { countLoad, sendLoad, toOutcome } from './load.ts'

const printed = `Running 2s test @ http://127.0.0.1:1/
  1 threads and 8 connections
Requests/sec:  47.99
report: {"requests":96,"failures":3,"duration":2000000,"p50":1500,"p99":20250}
`

describe('what wrk prints', () => {
  it('is read in seconds, milliseconds and cores', () => {
    expect(toOutcome(printed, 500_000, 960_000)).toEqual({
      requestsPerSecond: 48,
      p50Ms: 1.5,
      p99Ms: 20.25,
      failures: 3,
      generatorCores: 0.25,
      serverMicroseconds: 10_000,
    })
  })

  it.each([
    ['has no report', 'Running 2s test\nunable to connect'],
    ['reports no request', printed.replace('"requests":96', '"requests":0')],
  ])('is refused where it %s', (_, text) => {
    expect(() => toOutcome(text, 1, null)).toThrow(/tells of no request/)
  })
})

const wrkIsHere = requireOrSkip('wrk', Bun.which('wrk') === null ? 'there is no command wrk' : null)

describe.runIf(wrkIsHere)('wrk', () => {
  // Every byte, and among them what would end a text in Lua, a line, or C.
  const body = Uint8Array.from({ length: 1_024 }, (_, index) => index)
  const headers = { 'content-type': 'application/octet-stream', 'x-odd': `a "quoted" \\ ]] 'ü` }
  const load = { connections: 2, seconds: 1, headers, body }

  it('sends method, headers and every byte of the body as they are', async () => {
    const strange: string[] = []
    await using server = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      async fetch(request) {
        const bytes = await request.bytes()
        const odd = request.headers.get('x-odd') ?? ''
        const same =
          Buffer.from(odd, 'latin1').equals(Buffer.from(headers['x-odd'])) || odd === headers['x-odd']
        if (request.method !== 'PUT' || !same || !Buffer.from(bytes).equals(body)) strange.push(odd)
        return new Response('ok')
      },
    })
    const outcome = await sendLoad({
      ...load,
      url: String(server.url),
      method: 'PUT',
      serverPid: process.pid,
    })
    expect(strange).toEqual([])
    expect(outcome.requestsPerSecond).toBeGreaterThan(0)
    expect(outcome.p99Ms).toBeGreaterThanOrEqual(outcome.p50Ms)
    expect(outcome.generatorCores).toBeGreaterThan(0)
    if (process.platform === 'linux') expect(outcome.serverMicroseconds).toBeGreaterThan(0)
  })

  it('counts what fails, and is a failure itself where nothing may', async () => {
    await using server = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: () => new Response('no', { status: 503 }),
    })
    const url = String(server.url)
    expect((await countLoad({ ...load, url })).failures).toBeGreaterThan(0)
    await expect(sendLoad({ ...load, url })).rejects.toThrow(/requests to .* failed/)
  })
})
