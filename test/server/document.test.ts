import { Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import type { FunctionManifest } from '../../runtime/build/manifest.ts'
import {
  defineAction,
  defineFunction,
  defineInference,
  defineStep,
  file,
  onnx,
  tensorOf,
} from '../../runtime/index.ts'
import { openApiDocument, routeList, templateOf } from '../../runtime/server/document.ts'
import { sampleFunction } from '../build/manifest-samples.ts'
import { findOpenApiFaults } from './openapi-rules.ts'
import { manifestOf } from './served.ts'

const handler = (): unknown => null
const Tree = Type.Recursive((Self) => Type.Object({ children: Type.Array(Self) }))

const functions: readonly FunctionManifest[] = [
  manifestOf('index.ts', defineFunction({ handler })),
  manifestOf(
    'trees.ts',
    defineFunction({ method: ['POST', 'PUT'], input: Tree, output: Tree, handler: () => ({ children: [] }) }),
  ),
  manifestOf('more-trees.ts', defineFunction({ input: Type.Array(Tree), handler })),
  manifestOf(
    'hello/[name].ts',
    defineFunction({
      access: 'public',
      description: 'Says hello.',
      params: Type.Object({ name: Type.String({ maxLength: 9 }) }),
      query: Type.Object({ loud: Type.Optional(Type.Boolean()), times: Type.Integer() }),
      handler,
    }),
  ),
  manifestOf('files/[...rest].ts', defineFunction({ handler })),
  manifestOf(
    'picture.ts',
    defineFunction({
      input: file({ mediaTypes: ['image/png', 'image/*'] }),
      output: file({ mediaTypes: ['image/png'] }),
      handler: () => new Response(),
    }),
  ),
  manifestOf(
    'digits.ts',
    defineInference({
      input: Type.Object({ x: tensorOf('float32', ['n', 2]) }),
      output: tensorOf('int64', ['n']),
      model: onnx({ default: 'digits' }),
      infer: () => null as never,
    }),
  ),
]

const identity = { appName: '@scope/app@1.2.3', routePrefix: '/v1' }

function documentOf(list: readonly FunctionManifest[], where = identity): ReturnType<typeof JSON.parse> {
  return openApiDocument({ functions: list, broken: [] }, where)
}

describe('the OpenAPI document', () => {
  it('keeps the rules of OpenAPI 3.1', () => {
    expect(findOpenApiFaults(documentOf(functions))).toEqual([])
  })

  it('names app and version', () => {
    expect(documentOf([]).info).toEqual({ title: '@scope/app', version: '1.2.3' })
  })

  it.each([
    ['release', 'release', '0'],
    ['@scope', '@scope', '0'],
    ['a@b@2', 'a@b', '2'],
  ])('has a title and a version whatever the app is called: %s', (appName, title, version) => {
    expect(documentOf([], { ...identity, appName }).info).toEqual({ title, version })
  })

  it('has the path of every function, behind the prefix', () => {
    expect(Object.keys(documentOf(functions).paths).toSorted()).toEqual([
      '/v1/',
      '/v1/digits',
      '/v1/files/{rest}',
      '/v1/hello/{name}',
      '/v1/more-trees',
      '/v1/picture',
      '/v1/trees',
    ])
  })

  it('gives each operation an id of its own, though names are alike', () => {
    const alike = ['a-b', 'a/b', 'a_b', 'a.b'].map((name) => sampleFunction(name))
    const ids = Object.values(documentOf(alike).paths).map(
      (item) => (item as { get: { operationId: string } }).get.operationId,
    )
    expect(ids).toEqual(['get_a_b', 'get_a_b_2', 'get_a_b_3', 'get_a_b_4'])
    expect(findOpenApiFaults(documentOf(alike))).toEqual([])
  })

  it('leaves out the rest of a path where a single segment is in the same place', () => {
    const rest = sampleFunction('rest', { route: '/files/[...rest]', path: '/files/*' })
    const one = sampleFunction('one', { route: '/files/[name]', path: '/files/:name' })
    for (const list of [
      [rest, one],
      [one, rest],
    ]) {
      const document = documentOf(list)
      expect(Object.keys(document.paths)).toEqual(['/v1/files/{name}'])
      expect(findOpenApiFaults(document)).toEqual([])
    }
  })
})

describe('the list of routes', () => {
  it('tells what each function is, and of files that do not build', () => {
    const broken = {
      file: 'functions/bad.ts',
      place: { file: 'functions/_lib.ts', line: 3, column: 1 },
      reason: 'Unexpected end.',
      served: true,
    }
    expect(routeList({ functions: functions.slice(-1), broken: [broken] }, identity)).toEqual({
      app: '@scope/app@1.2.3',
      routePrefix: '/v1',
      routes: [
        {
          name: 'digits',
          path: '/v1/digits',
          methods: ['POST'],
          kind: 'inference',
          access: 'token',
          runs: ['server'],
          idempotent: true,
          file: 'functions/digits.ts',
          defaultModel: 'digits',
        },
      ],
      broken: [broken],
    })
  })

  it('says what a client has to know before it sends a request again', () => {
    const once = manifestOf('once.ts', defineFunction({ idempotent: false, timeoutMs: 50, handler }))
    const { routes } = routeList({ functions: [once], broken: [] }, identity)
    expect(routes).toMatchObject([{ idempotent: false, timeoutMs: 50 }])
  })

  it('says what the jobs of an action report', () => {
    const work = manifestOf(
      'work.ts',
      defineAction({ steps: ['a', 'b'].map((name) => defineStep({ name, weight: 2, execute: () => ({}) })) }),
    )
    const { routes } = routeList({ functions: [work], broken: [] }, identity)
    expect(routes).toMatchObject([
      { kind: 'action', methods: ['POST'], action: { weights: { a: 2, b: 2 }, steps: ['a', 'b'] } },
    ])
  })

  it('names the root where there is no prefix', () => {
    expect(routeList({ functions: [], broken: [] }, { ...identity, routePrefix: '' })).toMatchObject({
      routePrefix: '/',
    })
  })
})

describe('a template', () => {
  it.each([
    ['/', '/'],
    ['/a/b', '/a/b'],
    ['/[a]/b/[c]', '/{a}/b/{c}'],
    ['/a/[...rest]', '/a/{rest}'],
  ])('of %s is %s', (route, template) => {
    expect(templateOf(sampleFunction('a', { route }))).toBe(template)
  })
})
