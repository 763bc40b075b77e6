import { type TSchema, Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import { describeFunction } from '../../runtime/build/describe.ts'
import type { Definition } from '../../runtime/define/definition.ts'
import { defineFunction } from '../../runtime/define/function.ts'
import { defineInference } from '../../runtime/define/inference.ts'
import { multiplexed, onnx } from '../../runtime/define/model.ts'
import { file, tensorOf } from '../../runtime/define/schema.ts'

const handler = () => 1

function describeFile(functionFile: string, definition: Definition) {
  const path = `functions/${functionFile}`
  return describeFunction(definition, {
    file: path,
    functionFile,
    bundle: 'bundle-0123456789abcdef.js',
    sources: [path],
  })
}

/** A definition with options that no compiler would let pass. */
function withOptions(options: Readonly<Record<string, unknown>>): Definition {
  return defineFunction({ handler, ...options } as Parameters<typeof defineFunction>[0])
}

describe('describeFunction', () => {
  it('fills in the defaults and leaves out what is not given', () => {
    expect(describeFile('digits.ts', defineFunction({ handler }))).toEqual({
      name: 'digits',
      file: 'functions/digits.ts',
      route: '/digits',
      path: '/digits',
      kind: 'function',
      methods: ['GET'],
      bundle: 'bundle-0123456789abcdef.js',
      sources: ['functions/digits.ts'],
      access: 'token',
      runs: ['server'],
      idempotent: true,
      accepts: [],
    })
  })

  it('carries every option', () => {
    const definition = defineInference({
      name: 'vision/digits',
      route: '/v1/[style]/read',
      description: 'Reads.',
      access: 'public',
      runs: ['server', 'browser'],
      idempotent: false,
      timeoutMs: 500,
      maxBodyBytes: 1000,
      maxOngoingRequests: 2,
      batch: { maxSize: 8, maxDelayMs: 0, maxBytes: 4096 },
      model: onnx({ default: 'digits', maxModelsPerReplica: 2 }),
      params: Type.Object({ style: Type.String() }),
      query: Type.Object({ top: Type.Optional(Type.Integer()) }),
      input: Type.Object({ picture: file({ mediaTypes: ['image/png'] }) }),
      output: Type.Integer(),
      infer: (inputs) => inputs.map(() => 1),
    })
    expect(describeFile('digits.ts', definition)).toMatchObject({
      name: 'vision/digits',
      route: '/v1/[style]/read',
      path: '/v1/:style/read',
      kind: 'inference',
      methods: ['POST'],
      description: 'Reads.',
      access: 'public',
      runs: ['server', 'browser'],
      idempotent: false,
      timeoutMs: 500,
      maxBodyBytes: 1000,
      maxOngoingRequests: 2,
      batch: { maxSize: 8, maxDelayMs: 0, maxBytes: 4096 },
      model: { default: 'digits', maxModelsPerReplica: 2 },
      accepts: ['application/json', 'multipart/form-data', 'image/png'],
      params: { type: 'object', required: ['style'] },
      query: { type: 'object', properties: { top: { type: 'integer' } } },
      input: { type: 'object', required: ['picture'] },
      output: { type: 'integer' },
    })
  })

  it('says that a model is needed even where nothing else is known of it', () => {
    const definition = defineInference({ input: Type.Null(), model: multiplexed(() => 1), infer: () => 1 })
    expect(describeFile('a.ts', definition).model).toEqual({})
  })

  it('gives what JSON gives back as it was', () => {
    const input = tensorOf('float32', [1, null])
    const manifest = describeFile('a.ts', defineFunction({ input, handler }))
    expect(JSON.parse(JSON.stringify(manifest))).toEqual(manifest)
  })

  it('names definitions after the function, so that those of two do not clash', () => {
    const input = Type.Recursive((self) => Type.Array(self))
    const definition = defineFunction({ input, output: input, handler: () => [] })
    const names = (functionFile: string) => {
      const manifest = describeFile(functionFile, definition)
      return [manifest.input, manifest.output].map((schema) => Object.keys(schema?.$defs ?? {}))
    }
    expect(names('a/b.ts')).toEqual([['a--b.input.Recursive'], ['a--b.output.Recursive']])
    expect(names('c.ts')).toEqual([['c.input.Recursive'], ['c.output.Recursive']])
  })

  it.each<[functionFile: string, params: TSchema, message: string]>([
    ['[id].ts', Type.Object({}), 'The schema "params" lacks "id", a path parameter of the route /[id].'],
    ['a.ts', Type.Object({ id: Type.String() }), 'has "id", which is no path parameter of the route /a.'],
    ['[id]/[...rest].ts', Type.Object({ id: Type.String() }), 'lacks "rest", a path parameter'],
    ['[id].ts', Type.String(), 'The schema "params" must be a Type.Object().'],
    ['[id].ts', Type.Object({ id: file() }), 'has a file or tensor at id, where only text can arrive'],
  ])('refuses in %s parameters that are not those of its path', (functionFile, params, message) => {
    expect(() => describeFile(functionFile, withOptions({ params }))).toThrow(message)
  })

  it('takes the parameters of the route that a function names itself', () => {
    const params = Type.Object({ id: Type.Integer(), rest: Type.String() })
    const manifest = describeFile('a.ts', withOptions({ route: '/[id]/[...rest]', params }))
    expect(manifest.path).toBe('/:id/*')
  })

  it.each<[options: Readonly<Record<string, unknown>>, message: string]>([
    [{ access: 'everyone' }, 'The option "access" must be one of token, public; got "everyone".'],
    [{ runs: [] }, 'The option "runs" must be one or more of server, browser, each once; got [].'],
    [{ runs: ['server', 'moon'] }, 'The option "runs" must be'],
    [{ method: 'HEAD' }, 'The option "method" must be one or more of GET, POST, PUT, PATCH, DELETE'],
    [{ idempotent: 'no' }, 'The option "idempotent" must be true or false; got "no".'],
    [{ description: 5 }, 'The option "description" must be a text; got 5.'],
    [{ name: 5 }, 'The option "name" must be a text; got 5.'],
    [{ route: {} }, 'The option "route" must be a text; got {}.'],
    [{ name: '../up and away' }, 'The option "name" must be made of letters'],
    [{ name: '' }, 'The option "name" must be made of letters'],
    [{ route: 'digits' }, 'The route "digits" must begin with a slash'],
    [{ query: Type.String() }, 'The schema "query" must be a Type.Object().'],
    [{ query: Type.Object({ x: tensorOf('int8', []) }) }, 'The schema "query" has a file or tensor at x'],
    [{ input: { type: 'object' } }, 'The schema "input" has no TypeBox schema'],
    [{ input: Type.String({ pattern: '(' }) }, 'The schema "input" cannot be checked by TypeBox'],
    [{ output: Type.Union([file(), Type.Null()]) }, 'may stand in objects and arrays only'],
  ])('refuses %o', (options, message) => {
    expect(() => describeFile('a.ts', withOptions(options))).toThrow(message)
  })

  it('refuses an inference function without a model', () => {
    const definition = defineInference({ input: Type.Null(), infer: () => 1 } as never)
    expect(() => describeFile('a.ts', definition)).toThrow('"model" must be made by onnx() or multiplexed()')
  })
})
