import { describe, expect, it } from 'vitest'
import { createClient } from '../../runtime/client/client.ts'
import type { AnyRoutes } from '../../runtime/client/handles.ts'
import { IsoplexError } from '../../runtime/error/error.ts'
import { toProblem } from '../../runtime/error/wire.ts'
import type { RouteFacts } from '../../runtime/page/route-list.ts'
import type { HostileBehaviour } from '../support/hostile-behaviour.ts'
import { type HostileServer, startHostileServer } from '../support/hostile-server.ts'
import { errorOf } from './failed.ts'
import { listedRoute, listOf } from './listed.ts'
import { itemsOf } from './reading.ts'

type Names = Readonly<Record<'a' | 'b', AnyRoutes[string]>>

/** A server with a function that does one after the other of these with its requests. */
async function serverOf(
  behaviours: readonly [HostileBehaviour, ...HostileBehaviour[]],
  facts: Partial<RouteFacts> = {},
): Promise<HostileServer> {
  const server = await startHostileServer()
  server.reply('/-/routes', { kind: 'json', value: listOf(listedRoute({ name: 'a', ...facts })) })
  server.reply('/a', ...behaviours)
  return server
}

const problem = (error: IsoplexError, headers: Record<string, string> = {}): HostileBehaviour => ({
  kind: 'json',
  value: toProblem(error),
  status: error.status,
  headers: { 'content-type': 'application/problem+json', ...headers },
})

const draining = problem(new IsoplexError('DRAINING', 'Later.', { details: { retryAfterMs: 1 } }))
const expired = problem(new IsoplexError('TOKEN_INVALID', 'Old.', { details: { reason: 'expired' } }))
const notFound = problem(new IsoplexError('ROUTE_NOT_FOUND', 'Nothing here.'))
const good: HostileBehaviour = { kind: 'json', value: 'good' }
const stream = { 'content-type': 'application/x-ndjson' }

const pathsOf = ({ requests }: HostileServer): string[] => requests.map(({ path }) => path)

describe('a call of a server', () => {
  it('carries token, sticky key and request id, and says how it went', async () => {
    const timing =
      'db;dur=9, queue;dur=1.5, infer;dur=0.25, model;desc="a%22b", version;desc="3", provider;desc="cpu"'
    const headers = { 'server-timing': timing, 'x-request-id': 'r-9' }
    await using server = await serverOf([{ kind: 'json', value: 1, headers }])
    const client = createClient<Names>({ baseUrl: `${server.url}/`, token: 'secret' })
    const { output, ran } = await client.a.call({ stickyKey: 'ada', input: {} })
    expect(output).toBe(1)
    expect(ran).toMatchObject({ where: 'server', requestId: 'r-9', queueMs: 1.5, inferMs: 0.25 })
    expect(ran).toMatchObject({ model: { id: 'a"b', version: '3' }, provider: 'cpu' })
    const sent = server.requests[1]?.headers
    expect(sent?.get('serve_multiplexed_model_id')).toBe('secret')
    expect(sent?.get('x-sticky-key')).toBe('ada')
    expect(sent?.get('x-request-id')).toMatch(/^[0-9a-f]{32}$/)
    expect(server.requests[0]?.headers.has('serve_multiplexed_model_id')).toBe(false)
  })

  it('knows no times where the server says none', async () => {
    await using server = await serverOf([good])
    const { ran } = await createClient<Names>({ baseUrl: server.url }).a.call()
    expect([ran.queueMs, ran.inferMs, ran.model, ran.provider]).toEqual([null, null, null, null])
    expect(ran.requestId).toBe(server.requests[1]?.headers.get('x-request-id'))
  })

  it.each([
    ['a stopping server', draining],
    ['a bare 502', { kind: 'reply', status: 502 }],
    ['a reply that breaks off', { kind: 'cut-off', body: '"good"', afterBytes: 2 }],
    ['a reply that never came', { kind: 'raw', bytes: '' }],
  ] as const)('is sent again after %s', async (_, bad) => {
    await using server = await serverOf([bad, bad, good])
    expect((await createClient<Names>({ baseUrl: server.url }).a.call()).output).toBe('good')
    expect(pathsOf(server)).toEqual(['/-/routes', '/a', '/a', '/a'])
    expect(new Set(server.requests.slice(1).map(({ headers }) => headers.get('x-request-id'))).size).toBe(1)
  })

  it('is sent no more often than it may', async () => {
    await using server = await serverOf([draining])
    const client = createClient<Names>({ baseUrl: server.url, retries: 1 })
    expect((await errorOf(client.a.call())).code).toBe('DRAINING')
    expect(pathsOf(server)).toEqual(['/-/routes', '/a', '/a'])
  })

  it('is sent once where it must not run twice', async () => {
    await using server = await serverOf([draining, good], { idempotent: false })
    expect((await errorOf(createClient<Names>({ baseUrl: server.url }).a.call())).code).toBe('DRAINING')
    expect(pathsOf(server)).toEqual(['/-/routes', '/a'])
  })

  it('is sent once where the caller is at fault, or the reply lies', async () => {
    const invalid = new IsoplexError('INPUT_INVALID', 'No.', {
      details: { issues: [{ path: '/a', message: 'b' }] },
    })
    const lie: HostileBehaviour = {
      kind: 'reply',
      body: '<',
      headers: { 'content-type': 'application/json' },
    }
    await using server = await serverOf([problem(invalid), lie, good])
    const client = createClient<Names>({ baseUrl: server.url })
    expect((await errorOf(client.a.call())).details).toEqual(invalid.details)
    expect((await errorOf(client.a.call())).details).toEqual({ reason: 'content' })
    expect(pathsOf(server)).toEqual(['/-/routes', '/a', '/a'])
  })

  it('waits as long as the server asks, and not for longer than it may take', async () => {
    await using server = await serverOf([{ kind: 'reply', status: 503, headers: { 'retry-after': '30' } }])
    const client = createClient<Names>({ baseUrl: server.url, timeoutMs: 10_000 })
    expect(await errorOf(client.a.call())).toMatchObject({ details: { reason: 'status', status: 503 } })
    expect(pathsOf(server)).toEqual(['/-/routes', '/a'])
  })

  it('asks for another token once where it has expired', async () => {
    await using server = await serverOf([expired, good, expired])
    let asked = 0
    const token = async (): Promise<string> => {
      asked += 1
      return `t${asked}`
    }
    const client = createClient<Names>({ baseUrl: server.url, token })
    expect((await client.a.call()).output).toBe('good')
    expect((await errorOf(client.a.call())).code).toBe('TOKEN_INVALID')
    const tokens = server.requests.map(({ headers }) => headers.get('serve_multiplexed_model_id'))
    expect(tokens).toEqual([null, 't1', 't2', 't2', 't3'])
  })

  it('never shows a token that cannot be sent', async () => {
    await using server = await serverOf([good])
    const client = createClient<Names>({ baseUrl: server.url, token: 'secret\nx' })
    const error = await client.a.call().catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(TypeError)
    expect(String(error)).toContain('"token"')
    expect(String(error)).not.toContain('secret')
    expect(pathsOf(server)).toEqual(['/-/routes'])
  })

  it('follows a function to where it has moved', async () => {
    await using server = await serverOf([good, notFound])
    server.reply('/v2/a', good)
    const client = createClient<Names>({ baseUrl: server.url })
    await client.a.call()
    server.reply('/-/routes', { kind: 'json', value: listOf(listedRoute({ name: 'a', path: '/v2/a' })) })
    expect((await client.a.call()).output).toBe('good')
    expect(pathsOf(server)).toEqual(['/-/routes', '/a', '/a', '/-/routes', '/v2/a'])
  })

  it('fails where a function is where it was and yet is not', async () => {
    await using server = await serverOf([notFound])
    const error = await errorOf(createClient<Names>({ baseUrl: server.url }).a.call())
    expect(error).toMatchObject({ code: 'ROUTE_NOT_FOUND', message: 'Nothing here.' })
    expect(pathsOf(server)).toEqual(['/-/routes', '/a', '/-/routes'])
  })

  it('says what there is where a function does not exist', async () => {
    await using server = await serverOf([good])
    const error = await errorOf(createClient<Names>({ baseUrl: server.url }).b.call())
    expect(error.message).toBe('test-app@1.2.3 has no function "b"; it has a.')
  })

  it('asks again for the list of functions where that is out of reach for a while', async () => {
    await using server = await serverOf([good])
    const list = { kind: 'json', value: listOf(listedRoute({ name: 'a' })) } as const
    server.reply('/-/routes', { kind: 'reply', status: 502 }, { kind: 'raw', bytes: '' }, list)
    expect((await createClient<Names>({ baseUrl: server.url }).a.call()).output).toBe('good')
  })

  it('refuses a list of functions that is none, such as the page of another server', async () => {
    await using server = await serverOf([good])
    server.reply('/-/routes', {
      kind: 'reply',
      body: '<h1>Hello</h1>',
      headers: { 'content-type': 'text/html' },
    })
    const error = await errorOf(createClient<Names>({ baseUrl: server.url }).a.call())
    expect(error).toMatchObject({ code: 'FETCH_FAILED', details: { reason: 'content' } })
  })
})

describe('the end of a call', () => {
  it('comes with its caller', async () => {
    await using server = await serverOf([{ kind: 'never' }])
    const caller = new AbortController()
    const outcome = errorOf(createClient<Names>({ baseUrl: server.url }).a.call({ signal: caller.signal }))
    await server.until(({ requests }) => requests.length === 2)
    caller.abort('no longer')
    expect(await outcome).toMatchObject({ code: 'CANCELLED', cause: 'no longer' })
    await server.until(({ connections }) => connections === 0)
  })

  it('comes with its time, pauses included', async () => {
    await using server = await serverOf([{ kind: 'drip', body: '"good"', everyMs: 1_000 }])
    const client = createClient<Names>({ baseUrl: server.url })
    expect((await errorOf(client.a.call({ timeoutMs: 50 }))).code).toBe('DEADLINE_EXCEEDED')
    await server.until(({ connections }) => connections === 0)
  })

  it('comes in the middle of a stream, with its caller', async () => {
    await using server = await serverOf([{ kind: 'endless', chunk: '1\n'.repeat(500), headers: stream }])
    const caller = new AbortController()
    const client = createClient<Names>({ baseUrl: server.url })
    const { output, ran } = await client.a.call({ signal: caller.signal })
    let read = 0
    const reading = (async () => {
      for await (const _ of output as AsyncIterable<unknown>) {
        read += 1
        if (read === 1_000) caller.abort()
      }
    })()
    expect((await errorOf(reading)).code).toBe('CANCELLED')
    expect(read).toBeGreaterThanOrEqual(1_000)
    expect(ran.tookMs).toBeGreaterThan(0)
    await server.until(({ connections }) => connections === 0)
  })

  it('of a stream that breaks off is an error, and no second try', async () => {
    await using server = await serverOf([
      { kind: 'cut-off', body: '1\n2\n3\n', afterBytes: 4, headers: stream },
    ])
    const { output } = await createClient<Names>({ baseUrl: server.url }).a.call()
    const error = await errorOf(itemsOf(output as AsyncIterable<unknown>))
    expect(error).toMatchObject({ code: 'FETCH_FAILED', details: { reason: 'cut-off' } })
    expect(pathsOf(server)).toEqual(['/-/routes', '/a'])
  })
})
