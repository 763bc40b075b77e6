import { Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import { type ClientOptions, createClient } from '../../runtime/client/client.ts'
import { startDeadline } from '../../runtime/client/deadline.ts'
import type { AnyRoutes } from '../../runtime/client/handles.ts'
import { defineFunction, file, IsoplexError, tensor, tensorOf } from '../../runtime/index.ts'
import type { RouteFacts } from '../../runtime/page/route-list.ts'
import { type HostileServer, startHostileServer } from '../support/hostile-server.ts'
import { errorOf } from './failed.ts'
import { listedRoute, listOf } from './listed.ts'
import { createPageEngine } from './page-engine.ts'
import { itemsOf } from './reading.ts'

const doubling = defineFunction({
  access: 'public',
  runs: ['server', 'browser'],
  params: Type.Object({ by: Type.Number() }),
  query: Type.Object({ plus: Type.Number({ default: 0 }) }),
  input: Type.Object({ n: Type.Number() }),
  handler: ({ input, params, query }) => ({ n: input.n * params.by + query.plus }),
})

const failing = (error: () => Error) =>
  defineFunction({
    handler: () => {
      throw error()
    },
  })

/** A server that lists one function and answers it with `"server"`. */
async function serverOf(facts: Partial<RouteFacts> & { name: string }): Promise<HostileServer> {
  const server = await startHostileServer()
  server.reply('/-/routes', { kind: 'json', value: listOf(listedRoute(facts)) })
  server.reply(`/${facts.name}`, { kind: 'json', value: 'server' })
  return server
}

const pathsOf = ({ requests }: HostileServer): string[] => requests.map(({ path }) => path)

/** The names that these tests give their functions; what they take and give differs. */
type Names = Readonly<Record<'a' | 'count' | 'double' | 'double/[by]' | 'echo', AnyRoutes[string]>>

const clientOf = (options: ClientOptions) => createClient<Names>(options)

describe('a call in the page', () => {
  it('gets the request that a server would get, and says what answered', async () => {
    await using server = await serverOf({ name: 'double', path: '/v1/{by}' })
    const local = createPageEngine({ double: doubling })
    const client = clientOf({ baseUrl: server.url, token: 't', local })
    const { output, ran } = await client.double.call({
      input: { n: 2 },
      params: { by: 3 },
      query: { plus: 1 },
    })
    expect(output).toEqual({ n: 7 })
    expect(ran).toEqual({
      where: 'browser',
      provider: 'wasm',
      reason: 'There is no WebGPU here.',
      model: null,
      requestId: expect.stringMatching(/^[0-9a-f]{32}$/),
      tookMs: expect.any(Number),
      queueMs: 1,
      inferMs: 2,
      fellBack: null,
    })
    expect(local.requests).toMatchObject([
      { baseUrl: server.url, token: 't', method: 'POST', url: '/v1/3?plus=1', params: { by: '3' } },
    ])
    expect(pathsOf(server)).toEqual(['/-/routes'])
  })

  it('needs no server once it is offline', async () => {
    const server = await serverOf({ name: 'double' })
    await server[Symbol.asyncDispose]()
    const local = createPageEngine({ 'double/[by]': doubling })
    const client = clientOf({ baseUrl: server.url, local })
    const call = { input: { n: 2 }, params: { by: 3 } }
    expect((await client['double/[by]'].call(call)).output).toEqual({ n: 6 })
    expect(local.requests).toMatchObject([{ method: 'POST', url: '/double/3' }])
  })

  it('carries files, tensors and streams as they are', async () => {
    await using server = await serverOf({ name: 'echo' })
    const Thing = Type.Object({ list: Type.Array(tensorOf('float32', [null])), picture: file() })
    const echo = defineFunction({ input: Thing, output: Thing, handler: ({ input }) => input })
    const count = defineFunction({
      async *handler() {
        yield 1
        throw new IsoplexError('QUARANTINED', 'Enough.', { details: { retryAfterMs: 1 } })
      },
    })
    const local = createPageEngine({ echo, count })
    const client = clientOf({ baseUrl: server.url, local })
    const list = [tensor('float32', Float32Array.of(Number.NaN), [1])]
    const { output } = await client.echo.call({ input: { list, picture: new Blob(['ä']) } })
    expect(output).toMatchObject({ list, picture: { bytes: new TextEncoder().encode('ä') } })
    server.reply('/-/routes', { kind: 'json', value: listOf(listedRoute({ name: 'count' })) })
    const stream = await client.count.call()
    expect(await errorOf(itemsOf(stream.output as AsyncIterable<unknown>))).toMatchObject({
      code: 'QUARANTINED',
    })
  })

  it('asks once for another token where it has expired', async () => {
    await using server = await serverOf({ name: 'a' })
    const engine = createPageEngine({ a: defineFunction({ handler: () => 'page' }) })
    const local = {
      ...engine,
      answer: (request: Parameters<typeof engine.answer>[0]) => {
        if (request.token === 't2') return engine.answer(request)
        throw new IsoplexError('TOKEN_INVALID', 'Old.', { details: { reason: 'expired' } })
      },
    }
    const tokens = ['t1', 't2']
    const client = clientOf({ baseUrl: server.url, local, token: () => tokens.shift() ?? null })
    expect((await client.a.call()).output).toBe('page')
  })
})

describe('a call that may be answered anywhere', () => {
  it('goes to the server where the page has no such function, and says so', async () => {
    await using server = await serverOf({ name: 'a' })
    const client = clientOf({ baseUrl: server.url, local: createPageEngine({}) })
    const { output, ran } = await client.a.call()
    expect(output).toBe('server')
    expect(ran).toMatchObject({ where: 'server', fellBack: null, reason: '"a" was not built for pages.' })
  })

  it.each([
    new IsoplexError('PROVIDER_UNAVAILABLE', 'No wasm.', { details: { missing: [] } }),
    new IsoplexError('MODEL_FORBIDDEN', 'Not for pages.', { details: { model: 'a' } }),
    new IsoplexError('ARTIFACT_BROKEN', 'Cut short.', { details: { reason: 'size' } }),
    new IsoplexError('INTERNAL', 'It threw.'),
    new IsoplexError('DEADLINE_EXCEEDED', 'Slow.'),
  ])('falls back to the server after $code, and says so', async (error) => {
    await using server = await serverOf({ name: 'a' })
    const client = clientOf({ baseUrl: server.url, local: createPageEngine({ a: failing(() => error) }) })
    const { output, ran } = await client.a.call()
    expect(output).toBe('server')
    expect(ran).toMatchObject({ where: 'server', fellBack: { code: error.code, message: error.message } })
  })

  it('falls back where the list of what was built for pages cannot be had', async () => {
    await using server = await serverOf({ name: 'a' })
    const offers = (): Promise<boolean> =>
      Promise.reject(new IsoplexError('FETCH_FAILED', 'No list.', { details: { reason: 'status' } }))
    const client = clientOf({ baseUrl: server.url, local: { ...createPageEngine({}), offers } })
    expect((await client.a.call()).ran.fellBack).toEqual({ code: 'FETCH_FAILED', message: 'No list.' })
  })

  it.each([
    new IsoplexError('INPUT_INVALID', 'No.', { details: { issues: [] } }),
    new IsoplexError('TENSOR_MISMATCH', 'No.', { details: { tensor: 'x' } }),
    new IsoplexError('BODY_TOO_LARGE', 'No.', { details: { limitBytes: 1 } }),
    new IsoplexError('TOKEN_INVALID', 'No.', { details: { reason: 'signature' } }),
    new IsoplexError('TOKEN_MISSING', 'No.'),
    new IsoplexError('CANCELLED', 'No.'),
  ])('does not trouble the server with $code', async (error) => {
    await using server = await serverOf({ name: 'a' })
    const client = clientOf({ baseUrl: server.url, local: createPageEngine({ a: failing(() => error) }) })
    expect(await errorOf(client.a.call())).toBe(error)
    expect(pathsOf(server)).toEqual(['/-/routes'])
  })

  it('does not run twice what must not', async () => {
    await using server = await serverOf({ name: 'a', idempotent: false })
    const errors = [
      new IsoplexError('INTERNAL', 'It threw.'),
      new IsoplexError('FUNCTION_BROKEN', 'It never began.'),
    ]
    const local = createPageEngine({ a: failing(() => errors.shift() ?? new Error('a')) })
    const client = clientOf({ baseUrl: server.url, local })
    expect((await errorOf(client.a.call())).code).toBe('INTERNAL')
    expect((await client.a.call()).output).toBe('server')
  })

  it('stays in the page where that is asked for, whatever fails', async () => {
    await using server = await serverOf({ name: 'a' })
    const error = new IsoplexError('FUNCTION_BROKEN', 'No.')
    const client = clientOf({ baseUrl: server.url, local: createPageEngine({ a: failing(() => error) }) })
    expect(await errorOf(client.a.call({ where: 'browser' }))).toBe(error)
    expect(pathsOf(server)).toEqual(['/-/routes'])
  })

  it('does not touch the page where the server is asked for', async () => {
    await using server = await serverOf({ name: 'a' })
    const local = createPageEngine({ a: failing(() => new Error('touched')) })
    const client = clientOf({ baseUrl: server.url, local })
    expect((await client.a.call({ where: 'server' })).ran).toMatchObject({ where: 'server', fellBack: null })
    expect(local.requests).toEqual([])
  })

  it('ends when its caller ends it, or its time is over, in the page too', async () => {
    await using server = await serverOf({ name: 'a' })
    const local = createPageEngine({ a: defineFunction({ handler: () => new Promise(() => undefined) }) })
    const client = clientOf({ baseUrl: server.url, local })
    const caller = new AbortController()
    const outcome = errorOf(client.a.call({ signal: caller.signal }))
    caller.abort('no longer')
    expect(await outcome).toMatchObject({ code: 'CANCELLED', cause: 'no longer' })
    expect((await errorOf(client.a.call({ timeoutMs: 20 }))).code).toBe('DEADLINE_EXCEEDED')
  })

  it('lets a stream that has begun take longer than it may', async () => {
    await using server = await serverOf({ name: 'a' })
    const over = new Promise((resolve) => {
      startDeadline(undefined, 1_100).signal.addEventListener('abort', resolve)
    })
    const slow = defineFunction({
      async *handler() {
        yield 1
        await over
        yield 2
      },
    })
    const client = clientOf({ baseUrl: server.url, local: createPageEngine({ a: slow }) })
    const { output } = await client.a.call({ timeoutMs: 1_000 })
    expect(await itemsOf(output as AsyncIterable<unknown>)).toEqual([1, 2])
  })

  it('refuses a place that there is not', async () => {
    const client = clientOf({ baseUrl: 'http://127.0.0.1:1' })
    await expect(client.a.call({ where: 'browser' })).rejects.toThrow('made without "local"')
    await expect(client.a.call({ where: 'moon' as never })).rejects.toThrow('"where" must be')
  })

  it('refuses what no header could carry to a server', async () => {
    await using server = await serverOf({ name: 'a' })
    const local = createPageEngine({ a: failing(() => new Error('It is not called.')) })
    const stuck = clientOf({ baseUrl: server.url, local }).a.call({ stickyKey: 'a b' })
    await expect(stuck).rejects.toThrow(/^"stickyKey" must be made of/)
    await expect(clientOf({ baseUrl: server.url, local, token: 'a b' }).a.call()).rejects.toThrow(/^"token"/)
    expect(local.requests).toEqual([])
  })
})
