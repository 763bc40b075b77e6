import { afterEach, describe, expect, it } from 'vitest'
import { failuresOf, outcomeOf, sendTraffic, type TrafficClass } from './traffic.ts'

const get = { path: '/' }

describe('the load generator', () => {
  let server: Bun.Server<undefined> | undefined
  afterEach(() => server?.stop(true))

  function serve(answer: (request: Request) => Response | Promise<Response>): string {
    server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: answer })
    return server.url.href
  }

  async function send(url: string, given: Partial<TrafficClass>) {
    const whole = { name: 'all', requests: [get], perSecond: 200, connections: 100, ...given }
    const times = { warmUpSeconds: 0, seconds: 0.5, patienceSeconds: 2 }
    const outcome = await sendTraffic({ url, ...times, classes: [whole] })
    return outcomeOf(outcome, 'all')
  }

  it('sends paths, headers and bodies as they are given, in the order that is given', async () => {
    const seen: string[] = []
    const url = serve(async (request) => {
      const { pathname } = new URL(request.url)
      seen.push(`${request.method} ${pathname} ${request.headers.get('x-who')} ${await request.text()}`)
      return new Response('')
    })
    const requests = [
      { path: '/a', headers: { 'x-who': 'me' }, body: '{"ü":1}' },
      { path: '/b', headers: { 'x-who': 'you' } },
    ]
    const { ok, sent } = await send(url, { requests, order: [1, 0, 0], perSecond: null, connections: 1 })
    expect(ok).toBe(sent)
    expect(seen.slice(0, 4)).toEqual([
      'GET /b you ',
      'POST /a me {"ü":1}',
      'POST /a me {"ü":1}',
      'GET /b you ',
    ])
  })

  it('sends at its times to a server that does not answer, and says so', async () => {
    const gate = Promise.withResolvers<Response>()
    let arrived = 0
    const url = serve(() => {
      arrived += 1
      if (arrived === 50) gate.resolve(new Response(''))
      return gate.promise.then((reply) => reply.clone())
    })
    const outcome = await send(url, {})
    const { ok, sent, p99Ms, p50Ms } = outcome
    expect([ok, failuresOf(outcome)]).toEqual([sent, 0])
    expect(sent).toBeGreaterThan(50)
    // Whoever came first waited for the fiftieth.
    expect(p99Ms).toBeGreaterThan(p50Ms)
  })

  it('counts what finds no connection free, and what fails by its status', async () => {
    const never = serve(() => new Promise<Response>(() => undefined))
    const outcome = await send(never, { connections: 1, perSecond: 50 })
    expect(outcome).toMatchObject({ ok: 0, sent: 1, failed: { unanswered: 1 } })
    expect(outcome.unsent).toBeGreaterThan(0)
    const busy = serve(() => new Response('', { status: 503 }))
    const { sent, failed } = await send(busy, {})
    expect(failed).toEqual({ 503: sent })
  })

  it('sends nothing after "Connection: close"', async () => {
    const ports = new Map<number, number>()
    const url = serve((request) => {
      const port = server?.requestIP(request)?.port ?? 0
      ports.set(port, (ports.get(port) ?? 0) + 1)
      return new Response('', { headers: { connection: 'close' } })
    })
    const { ok, sent, failed } = await send(url, { perSecond: 100 })
    expect([ok, failed]).toEqual([sent, {}])
    expect([...ports.values()].every((count) => count === 1)).toBe(true)
  })
})
