import { Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import type { Definition } from '../../runtime/define/definition.ts'
import { defineFunction, defineInference, file, onnx, tensorOf } from '../../runtime/index.ts'
import { operationsOf } from '../../runtime/server/openapi.ts'
import { SchemaComponents } from '../../runtime/server/schema-components.ts'
import { sampleFunction } from '../build/manifest-samples.ts'
import { manifestOf } from './served.ts'

function operations(functionFile: string, definition: Definition): ReturnType<typeof JSON.parse> {
  const parts = { operationIds: new Set<string>(), schemas: new SchemaComponents({}) }
  return operationsOf(manifestOf(functionFile, definition), parts)
}

const handler = (): unknown => null

describe('an operation', () => {
  it('is there for each method', () => {
    const made = operations('a.ts', defineFunction({ method: ['GET', 'DELETE'], handler }))
    expect(Object.keys(made)).toEqual(['get', 'delete'])
    expect(made.get.operationId).toBe('get_a')
    expect(made.delete.operationId).toBe('delete_a')
  })

  it('has the parameters of path and query with their schemas', () => {
    const { get } = operations(
      '[a]/[...rest].ts',
      defineFunction({
        params: Type.Object({ a: Type.Integer(), rest: Type.String() }),
        query: Type.Object({ q: Type.String(), p: Type.Optional(Type.Number()) }),
        handler,
      }),
    )
    expect(get.parameters).toEqual([
      { name: 'a', in: 'path', required: true, schema: { type: 'integer' } },
      { name: 'rest', in: 'path', required: true, schema: { type: 'string' } },
      { name: 'q', in: 'query', required: true, schema: { type: 'string' } },
      { name: 'p', in: 'query', required: false, schema: { type: 'number' } },
    ])
  })

  it('takes any text for a path parameter without a schema', () => {
    const { get } = operations('[a].ts', defineFunction({ handler }))
    expect(get.parameters).toEqual([{ name: 'a', in: 'path', required: true, schema: { type: 'string' } }])
  })

  it('describes a body in each form in which it may come', () => {
    const picture = file({ mediaTypes: ['image/png'] })
    const { post } = operations('a.ts', defineFunction({ input: Type.Object({ picture }), handler }))
    const { content, required } = post.requestBody
    expect(required).toBe(true)
    expect(Object.keys(content)).toEqual(['application/json', 'multipart/form-data', 'image/png'])
    expect(content['application/json']).toEqual(content['multipart/form-data'])
    expect(content['image/png']).toEqual({})
  })

  it.each([
    ['nothing', undefined, undefined],
    ['JSON', Type.Number(), { 'application/json': { schema: { type: 'number' } } }],
    ['a file', file({ mediaTypes: ['image/png', 'image/webp'] }), { 'image/png': {}, 'image/webp': {} }],
    [
      'a tensor',
      tensorOf('int8', [2]),
      { 'application/json': { schema: expect.anything() }, 'application/octet-stream': {} },
    ],
  ])('describes a result that is %s', (_, output, content) => {
    const definition = defineFunction({ ...(output && { output }), handler: () => new Response() })
    expect(operations('a.ts', definition).get.responses[200].content).toEqual(content)
  })

  it('says of which function it is a deployment, and which problems the models of a graph bring', () => {
    const parts = { operationIds: new Set<string>(), schemas: new SchemaComponents({}) }
    const models = [{ function: 'read', asked: null, default: 'reader', access: 'token' } as const]
    const graph = { nodes: [], edges: [], models }
    const flow = sampleFunction('quick', { kind: 'graph', graph, description: 'Reads.' })
    const { get }: ReturnType<typeof JSON.parse> = operationsOf({ ...flow, deploymentOf: 'slow' }, parts)
    expect(get.description).toMatch(/^Reads\.\n\nThe deployment `quick` of `slow`\.\n\nIts nodes:/)
    expect(get.responses).toHaveProperty('404')
  })

  it('lists the problems that it may end in', () => {
    const open = operations('a.ts', defineFunction({ access: 'public', handler }))
    expect(Object.keys(open.get.responses)).toEqual(['200', '500', '503', '504'])
    const definition = defineInference({ input: Type.Number(), model: onnx(), infer: () => null })
    const { post } = operations('a.ts', definition)
    expect(Object.keys(post.responses)).toEqual([
      '200',
      '401',
      '404',
      '413',
      '415',
      '422',
      '500',
      '502',
      '503',
      '504',
    ])
    expect(post.responses[413].content['application/problem+json'].schema).toEqual({
      $ref: '#/components/schemas/Problem',
    })
  })

  it('needs a token, by either header, unless it is public', () => {
    const closed = operations('a.ts', defineFunction({ handler }))
    expect(closed.get.security).toEqual([{ modelToken: [] }, { bearer: [] }])
    expect(operations('a.ts', defineFunction({ access: 'public', handler })).get.security).toEqual([])
  })
})
