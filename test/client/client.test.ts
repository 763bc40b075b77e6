import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createClient } from '../../runtime/client/client.ts'
import type { AnyRoutes } from '../../runtime/client/handles.ts'
import { fileValue } from '../../runtime/define/file-value.ts'
import { tensor } from '../../runtime/engine/tensor.ts'
import { adding } from '../support/function-files.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import { makeProject, startServer, type TestProject, type TestServer } from '../support/server.ts'
import { errorOf } from './failed.ts'
import { itemsOf } from './reading.ts'

type Names = Readonly<
  Record<'adding' | 'echo' | 'matrix' | 'picture' | 'stream' | 'nothing' | 'once' | 'nope', AnyRoutes[string]>
> & { readonly 'hello/[name]': AnyRoutes[string]; readonly 'files/[...rest]': AnyRoutes[string] }

const head = `import { Type } from '@sinclair/typebox'
import { defineFunction, file, fileValue, IsoplexError, tensorOf } from 'isoplex'
`

const files = {
  'functions/adding.ts': adding,
  'functions/echo.ts': `${head}
const Thing = Type.Object({
  text: Type.String(),
  list: Type.Array(Type.Object({ scores: tensorOf('float32', [null, null]), picture: Type.Optional(file()) })),
  words: Type.Optional(tensorOf('string', [null])),
})
export default defineFunction({ access: 'public', input: Thing, output: Thing, handler: ({ input }) => input })
`,
  'functions/matrix.ts': `${head}
const Matrix = tensorOf('float32', [null, null])
export default defineFunction({ access: 'public', input: Matrix, output: Matrix, handler: ({ input }) => input })
`,
  'functions/picture.ts': `${head}
export default defineFunction({ access: 'public', input: file(), output: file(), handler: ({ input }) => input })
`,
  'functions/stream.ts': `${head}
export default defineFunction({
  access: 'public',
  query: Type.Object({ to: Type.Integer() }),
  async *handler({ query }) {
    for (let count = 1; count <= query.to; count += 1) yield { error: count }
    throw new IsoplexError('MODEL_NOT_FOUND', 'Out of numbers.', { details: { model: 'n' } })
  },
})
`,
  'functions/nothing.ts': `${head}
export default defineFunction({ access: 'public', method: ['GET', 'DELETE'], handler: ({ request }) =>
  request.method === 'DELETE' ? Response.json({ gone: true }) : undefined })
`,
  'functions/hello/[name].ts': `${head}
export default defineFunction({
  access: 'public',
  params: Type.Object({ name: Type.String() }),
  query: Type.Object({ times: Type.Integer(), tags: Type.Array(Type.String()) }),
  handler: ({ params, query }) => ({ ...params, ...query }),
})
`,
  'functions/files/[...rest].ts': `${head}
export default defineFunction({ access: 'public', params: Type.Object({ rest: Type.String() }), handler: ({ params }) => params.rest })
`,
}

let project: TestProject
let server: TestServer

beforeAll(async () => {
  project = await makeProject(files, { routePrefix: '/v1' })
  await project.write('five.onnx', addConstantModel(5))
  await project.run('models', 'add', 'five.onnx', '--id', 'five')
  server = await startServer(project)
})

afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await project[Symbol.asyncDispose]()
})

const clientOf = (token: string | null = null) =>
  createClient<Names>({ baseUrl: new URL(server.url).origin, token })

describe('a client', () => {
  it('has a model answer, and says how long that took', async () => {
    const client = clientOf(await server.token('five'))
    const { output, ran } = await client.adding.infer({ x: 1 })
    expect(output).toMatchObject({ y: 6, model: 'five' })
    expect(ran).toMatchObject({ where: 'server', queueMs: expect.any(Number), inferMs: expect.any(Number) })
  })

  it('fills path and query', async () => {
    const client = clientOf()
    const call = { params: { name: 'Ä/d a' }, query: { times: 3, tags: ['a', 'b'] } }
    expect((await client['hello/[name]'].call(call)).output).toEqual({
      name: 'Ä/d a',
      times: 3,
      tags: ['a', 'b'],
    })
    expect((await client['files/[...rest]'].call({ params: { rest: 'a/../b' } })).output).toBe('a/../b')
    expect((await errorOf(client['files/[...rest]'].call({ params: { rest: '..' } }))).code).toBe(
      'INPUT_INVALID',
    )
  })

  it('carries what JSON cannot, both ways', async () => {
    const client = clientOf()
    const scores = tensor('float32', Float32Array.of(Number.NaN, Number.POSITIVE_INFINITY), [2, 1])
    const picture = fileValue(Uint8Array.of(0, 13, 10), 'image/png', 'a "b".png')
    const input = { text: '5', list: [{ scores, picture }, { scores }], words: tensor('string', ['ä'], [1]) }
    expect((await client.echo.call({ input })).output).toEqual(input)
    expect((await client.matrix.call({ input: scores })).output).toEqual(scores)
    const file = new File([picture.bytes], 'a.png', { type: 'image/png' })
    expect((await client.picture.call({ input: file })).output).toEqual(fileValue(picture.bytes, 'image/png'))
  })

  it('has a tensor refused that the function does not take', async () => {
    const input = tensor('float64', Float64Array.of(1), [1, 1])
    const error = await errorOf(clientOf().matrix.call({ input }))
    expect(error).toMatchObject({ code: 'INPUT_INVALID', details: { issues: [{ path: '' }] } })
    expect(error.requestId).toMatch(/^[0-9a-f]{32}$/)
  })

  it('reads a stream to its end, and throws what ended it', async () => {
    const { output } = await clientOf().stream.call({ query: { to: 3 } })
    const read: unknown[] = []
    const reading = (async () => {
      for await (const item of output as AsyncIterable<unknown>) read.push(item)
    })()
    expect(await errorOf(reading)).toMatchObject({ code: 'MODEL_NOT_FOUND', details: { model: 'n' } })
    expect(read).toEqual([{ error: 1 }, { error: 2 }, { error: 3 }])
    const long = await clientOf().stream.call({ query: { to: 1_000_000 } })
    for await (const item of long.output as AsyncIterable<unknown>) {
      expect(item).toEqual({ error: 1 })
      break
    }
    expect(await errorOf(itemsOf(long.output as AsyncIterable<unknown>)).catch(() => 'over')).toBe('over')
  })

  it('gives nothing for an empty reply, and calls with the method that it is told', async () => {
    expect((await clientOf().nothing.call()).output).toBeUndefined()
    expect((await clientOf().nothing.call({ method: 'DELETE' })).output).toEqual({ gone: true })
  })

  it('says which functions there are', async () => {
    const { routes, routePrefix } = await clientOf().routes()
    expect(routePrefix).toBe('/v1')
    expect(routes.map(({ name }) => name)).toContain('hello/[name]')
    expect((await errorOf(clientOf().nope.call())).message).toContain('it has adding, echo')
  })

  it('finds a function that was written meanwhile', async () => {
    const client = clientOf()
    await client.nothing.call()
    await project.write(
      'functions/once.ts',
      `${head}export default defineFunction({ access: 'public', handler: () => 1 })`,
    )
    await server.event(({ event, added }) => event === 'live' && Bun.deepEquals(added, ['once']))
    expect((await client.once.call()).output).toBe(1)
  })
})

describe('the handles', () => {
  it('are the same each time, and make no promise of the client', async () => {
    const client = clientOf()
    expect(client.echo).toBe(client.echo)
    expect(await client).toBe(client)
  })
})

describe('createClient', () => {
  it.each([
    [{ baseUrl: 'nonsense' }, '"baseUrl"'],
    [{ baseUrl: 'http://a', retries: -1 }, '"retries"'],
    [{ baseUrl: 'http://a', retries: 1.5 }, '"retries"'],
    [{ baseUrl: 'http://a', timeoutMs: 0 }, '"timeoutMs"'],
    [{ baseUrl: 'http://a', timeoutMs: 2 ** 31 }, '"timeoutMs"'],
    [{ baseUrl: 'http://a', maxReplyBytes: 0 }, '"maxReplyBytes"'],
  ])('refuses %j', (options, named) => {
    expect(() => createClient(options)).toThrow(TypeError)
    expect(() => createClient(options)).toThrow(named)
  })

  it('refuses the time of a call that no timer can measure', async () => {
    await expect(clientOf().echo.call({ timeoutMs: Number.NaN })).rejects.toThrow('"timeoutMs"')
  })
})

it('does not wait for ever for the list of functions', async () => {
  vi.useFakeTimers()
  try {
    const never = (_: string, { signal }: RequestInit): Promise<never> =>
      new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
    const listing = errorOf(createClient({ baseUrl: 'http://a', fetch: never }).routes())
    await vi.advanceTimersByTimeAsync(30_000)
    expect(await listing).toMatchObject({ code: 'FETCH_FAILED', details: { reason: 'timeout' } })
  } finally {
    vi.useRealTimers()
  }
})
