import { type TSchema, Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import { describeFunction } from '../../runtime/build/describe.ts'
import { defineAction } from '../../runtime/define/action.ts'
import { brandDefinition, type Definition } from '../../runtime/define/definition.ts'
import { defineFunction } from '../../runtime/define/function.ts'
import { defineInference } from '../../runtime/define/inference.ts'
import { multiplexed, onnx } from '../../runtime/define/model.ts'
import { file, tensorOf } from '../../runtime/define/schema.ts'
import { defineStep } from '../../runtime/define/step.ts'

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

/** An action with options that no compiler would let pass. */
function actionWith(options: Readonly<Record<string, unknown>>): Definition {
  return defineAction({ execute: () => 1, ...options } as Parameters<typeof defineAction>[0])
}

describe('an action', () => {
  it('is described with its parameters as the input and its result as the output', () => {
    const definition = defineAction({
      description: 'Evaluates.',
      category: 'neural_net',
      access: 'public',
      timeoutMs: 60_000,
      maxBodyBytes: 1000,
      models: ['digits@3'],
      progress: { inference: 3, report: 1 },
      params: Type.Object({ archive: file({ mediaTypes: ['application/zip'] }) }),
      result: Type.Object({ accuracy: Type.Number() }),
      execute: () => ({ accuracy: 1 }),
    })
    const manifest = describeFile('evaluate.ts', definition)
    expect(manifest).toMatchObject({
      name: 'evaluate',
      path: '/evaluate',
      kind: 'action',
      methods: ['POST'],
      access: 'public',
      runs: ['server'],
      maxBodyBytes: 1000,
      accepts: ['application/json', 'multipart/form-data', 'application/zip'],
      input: { type: 'object', required: ['archive'] },
      output: { type: 'object', required: ['accuracy'] },
      action: {
        category: 'neural_net',
        timeoutMs: 60_000,
        models: ['digits@3'],
        weights: { inference: 3, report: 1 },
        steps: [],
      },
    })
    // The limit of a job is none of the request that submits it.
    expect(manifest).not.toHaveProperty('timeoutMs')
    expect(manifest).not.toHaveProperty('params')
    expect(JSON.parse(JSON.stringify(manifest))).toEqual(manifest)
  })

  it('is described with its steps in their order, and takes no body where it has no parameters', () => {
    const step = (name: string, weight: number) => defineStep({ name, weight, execute: () => undefined })
    const definition = defineAction({ steps: [step('fetch', 1), step('infer', 8)] })
    const manifest = describeFile('a.ts', definition)
    expect(manifest).toMatchObject({
      access: 'token',
      accepts: [],
      action: { category: null, timeoutMs: null, models: [], weights: { fetch: 1, infer: 8 } },
    })
    expect(manifest.action?.steps).toEqual(['fetch', 'infer'])
    expect(manifest).not.toHaveProperty('input')
  })

  it.each(['[id].ts', 'jobs/[...rest].ts'])('has no path parameters, as %s would give it', (functionFile) => {
    expect(() => describeFile(functionFile, actionWith({}))).toThrow(
      /^The route .* of an action has the path parameter "(id|rest)"; put it into "params"/,
    )
  })

  it.each<[options: Readonly<Record<string, unknown>>, message: string]>([
    [{ category: 5 }, 'The option "category" must be a text of 1 to 128 characters; got 5.'],
    [{ category: '' }, 'The option "category" must be'],
    [{ models: ['digits', 5] }, 'The option "models" must be a list of models such as digits or digits@3'],
    [{ models: 'digits' }, '"models" must be a list of models; got string.'],
    [{ input: Type.Null() }, 'An action takes its "input" as "params".'],
    [{ models: ['x'.repeat(257)] }, 'The option "models" must be'],
    [{ progress: {} }, 'The option "progress" must be weights from 0 by category; got {}.'],
    [{ runs: ['server', 'browser'] }, `The option "runs" of an action must be ['server']`],
    [{ runs: 'browser' }, `The option "runs" of an action must be ['server']; got "browser".`],
    [{ query: Type.Object({}) }, 'An action takes no option "query".'],
    [{ output: Type.Null() }, 'An action takes no option "output".'],
    [{ model: onnx() }, 'An action takes no option "model".'],
    [{ batch: { maxSize: 2, maxDelayMs: 1 } }, 'An action takes no option "batch".'],
    [{ idempotent: false }, 'An action takes no option "idempotent".'],
    [{ access: 'everyone' }, 'The option "access" must be one of token, public; got "everyone".'],
    [{ description: 5 }, 'The option "description" must be a text; got 5.'],
    [{ params: { type: 'object' } }, 'The schema "input" has no TypeBox schema'],
    [{ result: Type.Date() }, 'The schema "output"'],
  ])('is refused with %o', (options, message) => {
    expect(() => describeFile('a.ts', actionWith(options))).toThrow(message)
  })

  it('is refused where something else claims to be one', () => {
    const { action: _, ...rest } = actionWith({})
    expect(() => describeFile('a.ts', brandDefinition(rest))).toThrow('must be made by defineAction()')
  })
})

describe('what a function says of its own deployment', () => {
  const deployed = (deployment: unknown) => describeFile('a.ts', withOptions({ deployment }))

  it('is part of its manifest', () => {
    const deployment = { replicas: { min: 0, max: 2 }, options: { a: [1, null] }, routePrefix: '/v1/a' }
    expect(deployed(deployment).deployment).toEqual(deployment)
  })

  it.each([
    [1, /"deployment" is not taken\. It must be an object; it is 1/],
    [{ replcas: 1 }, /\/replcas is not known; the nearest is \/replicas/],
    [{ name: 'b' }, /\/name is not known/],
    [{ replicas: { min: 3, max: 2 } }, /replicas\.min \(3\) must not exceed/],
    [{ resources: { cudaDevices: '0' } }, /set replicas/],
    [{ options: () => 1 }, /"deployment\.options" must be JSON/],
    [{ options: { when: new Date(0) } }, /"deployment\.options" must be JSON/],
    [{ options: Number.NaN }, /"deployment\.options" must be JSON/],
  ])('is not %j', (deployment, message) => {
    expect(() => deployed(deployment)).toThrow(message)
  })
})
