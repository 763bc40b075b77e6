import { Type } from '@sinclair/typebox'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Definition } from '../../runtime/define/definition.ts'
import { type FileValue, fileValue } from '../../runtime/define/file-value.ts'
import { defineFunction } from '../../runtime/define/function.ts'
import type { FunctionHandle, HandleOptions } from '../../runtime/define/handle.ts'
import { file, tensorOf } from '../../runtime/define/schema.ts'
import { type Tensor, tensor } from '../../runtime/engine/tensor.ts'
import { CallingRequest } from '../../runtime/runner/calling-request.ts'
import { createHandle } from '../../runtime/runner/handle.ts'
import { createRemoteCallee } from '../../runtime/runner/remote-function.ts'
import { callSource } from './call-source.ts'
import { createNeighbour, type Neighbour } from './neighbour.ts'

function open(
  definition: Definition,
  options: HandleOptions = {},
): { handle: FunctionHandle<unknown, unknown, unknown, unknown>; neighbour: Neighbour } {
  const neighbour = createNeighbour(definition)
  const callee = createRemoteCallee({ name: 'callee', definition, options, transport: neighbour })
  return { handle: createHandle(callee, callSource()), neighbour }
}

const values = Type.Object({
  tensors: Type.Array(tensorOf('float32', ['n'])),
  picture: file({ mediaTypes: ['*/*'] }),
  note: Type.String(),
})
const echo = defineFunction({ input: values, output: values, handler: ({ input }) => input })

it('sends and gets tensors and files as their bytes, in any number', async () => {
  const { handle, neighbour } = open(echo)
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.float({ noNaN: true }), { maxLength: 5 }), { maxLength: 4 }),
      fc.uint8Array(),
      fc.string({ unit: 'binary' }),
      async (numbers, bytes, note) => {
        const tensors = numbers.map((data) => tensor('float32', Float32Array.from(data), [data.length]))
        const picture = fileValue(new Uint8Array(bytes), 'image/png', 'ü "1".png')
        const answer = (await handle.infer({ tensors, picture, note })) as {
          tensors: Tensor[]
          picture: FileValue
          note: string
        }
        expect(answer.tensors.map(({ data }) => data)).toEqual(tensors.map(({ data }) => data))
        expect(answer.picture).toEqual(picture)
        expect(answer.note).toBe(note.toWellFormed())
      },
    ),
    { numRuns: 50 },
  )
  for (const { contentType } of neighbour.calls) expect(contentType).toMatch(/^multipart\/form-data/)
})

it.each<[string, Definition, unknown]>([
  [
    'a tensor',
    defineFunction({
      input: tensorOf('int64', ['n']),
      output: tensorOf('int64', ['n']),
      handler: ({ input }) => input,
    }),
    tensor('int64', BigInt64Array.of(2n ** 62n), [1]),
  ],
  [
    'texts of a tensor',
    defineFunction({
      input: tensorOf('string', ['n']),
      output: tensorOf('string', ['n']),
      handler: ({ input }) => input,
    }),
    tensor('string', ['a', 'ü'], [2]),
  ],
  ['a value', defineFunction({ input: Type.Any(), handler: ({ input }) => input }), { a: [1, null, 'x'] }],
  ['nothing', defineFunction({ handler: ({ input }) => input }), undefined],
])('sends and gets %s', async (_, definition, value) => {
  expect(await open(definition).handle.infer(value)).toEqual(value)
})

it('says whom it calls, and with which path and query', async () => {
  const definition = defineFunction({
    params: Type.Object({ id: Type.Integer() }),
    query: Type.Object({ tags: Type.Array(Type.String()), many: Type.Integer({ default: 2 }) }),
    handler: ({ params, query }) => ({ params, query }),
  })
  const { handle, neighbour } = open(definition, { model: 'm@1', deployment: 'fast' })
  const request = { params: { id: 5 }, query: { tags: ['a b', '&'] } }
  expect(await handle.call(request, { timeoutMs: 900 })).toEqual({
    params: { id: 5 },
    query: { tags: ['a b', '&'], many: 2 },
  })
  expect(neighbour.calls).toMatchObject([
    {
      parent: 1,
      through: [],
      function: 'callee',
      model: 'm@1',
      deployment: 'fast',
      timeoutMs: 900,
      params: { id: '5' },
      contentType: null,
    },
  ])
  expect(request.query).toEqual({ tags: ['a b', '&'] })
})

it('sends nothing that does not fit', async () => {
  const { handle, neighbour } = open(echo)
  await expect(handle.infer({ tensors: [1] })).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    message: expect.stringMatching(/^The input of the function "[\w/]+" does not fit at \//),
  })
  expect(neighbour.calls).toEqual([])
})

describe('a stream', () => {
  const item = Type.Object({ n: tensorOf('int32', []) })
  const counting = (fails: boolean) =>
    defineFunction({
      output: item,
      async *handler() {
        for (const n of [1, 2, 3]) yield { n: tensor('int32', Int32Array.of(n), []) }
        if (fails) throw new Error('secret')
      },
    })

  it('has its tensors', async () => {
    const stream = (await open(counting(false)).handle.infer(undefined)) as AsyncIterable<{ n: Tensor }>
    const items = await Array.fromAsync(stream)
    expect(items.map(({ n }) => [n.type, ...n.data])).toEqual([1, 2, 3].map((n) => ['int32', n]))
  })

  it('breaks off where its function fails', async () => {
    const stream = (await open(counting(true)).handle.infer(undefined)) as AsyncIterable<unknown>
    await expect(Array.fromAsync(stream)).rejects.toMatchObject({ code: 'FETCH_FAILED' })
  })
})

it('gives a response that says more than a value', async () => {
  const { handle } = open(defineFunction({ handler: () => new Response('short', { status: 418 }) }))
  const response = (await handle.infer(undefined)) as Response
  expect([response.status, await response.text()]).toEqual([418, 'short'])
  const { handle: empty } = open(defineFunction({ handler: () => new Response(null, { status: 304 }) }))
  expect(await empty.infer(undefined)).toMatchObject({ status: 304 })
})

it('calls nobody in the name of a request that is over', async () => {
  const neighbour = createNeighbour(echo)
  const callee = createRemoteCallee({ name: 'callee', definition: echo, options: {}, transport: neighbour })
  const request = new CallingRequest(1, null)
  const handle = createHandle(callee, callSource({ place: { request, chain: ['caller'], waits: null } }))
  request.close()
  await expect(handle.infer({})).rejects.toMatchObject({ code: 'CANCELLED' })
  const gone = AbortSignal.abort(new Error('gone'))
  await expect(createHandle(callee, callSource({ signal: gone })).infer({})).rejects.toThrow('gone')
  expect(neighbour.calls).toEqual([])
})
