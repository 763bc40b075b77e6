import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { FunctionManifest } from '../../runtime/build/manifest.ts'
import { type ExampleTarget, exampleCall } from '../../runtime/cli/example-call.ts'
import { sampleFunction } from '../build/manifest-samples.ts'

const target: ExampleTarget = {
  baseUrl: 'http://127.0.0.1:3000',
  trusting: true,
  bodyPath: (name) => `.isoplex/examples/${name}.json`,
}

function sample(name: string, overrides: Partial<FunctionManifest> = {}): FunctionManifest {
  return sampleFunction(name, {
    route: `/${name}`,
    path: `/${name}`,
    methods: ['GET'],
    accepts: [],
    ...overrides,
  })
}

function taking(example: unknown, overrides: Partial<FunctionManifest> = {}): FunctionManifest {
  const input = { type: 'object', examples: [example] }
  const model = { default: 'digits' }
  const post: Partial<FunctionManifest> = { methods: ['POST'], accepts: ['application/json'] }
  return sample('digits', { kind: 'inference', input, model, ...post, ...overrides })
}

const lineOf = (functions: readonly FunctionManifest[], overrides: Partial<ExampleTarget> = {}) =>
  exampleCall(functions, { ...target, ...overrides })?.line

describe('exampleCall', () => {
  it('prefers an inference function with an example', () => {
    expect(exampleCall([sample('hello'), taking({ x: 1 })], target)).toEqual({
      name: 'digits',
      line: `curl http://127.0.0.1:3000/digits -H 'content-type: application/json' -d '{"x":1}'`,
      body: null,
    })
  })

  it('puts a long body into a file', () => {
    const example = { pixels: Array.from({ length: 784 }, () => 0) }
    expect(exampleCall([taking(example)], target)).toEqual({
      name: 'digits',
      line: "curl http://127.0.0.1:3000/digits -H 'content-type: application/json' -d @.isoplex/examples/digits.json",
      body: JSON.stringify(example),
    })
  })

  it('takes a function without input where no inference function can be called', () => {
    expect(lineOf([taking({ x: 1 }, { model: {} }), sample('hello')])).toBe(
      'curl http://127.0.0.1:3000/hello',
    )
  })

  it('calls the index by the address alone', () => {
    expect(lineOf([sample('index', { path: '/' })])).toBe('curl http://127.0.0.1:3000')
  })

  it('names a method that curl would not take by itself', () => {
    expect(lineOf([sample('put', { methods: ['PUT'] })])).toBe('curl -X PUT http://127.0.0.1:3000/put')
    expect(lineOf([taking({ x: 1 }, { methods: ['PUT'] })])).toMatch(/^curl -X PUT http/)
  })

  it('needs no token where the server does not', () => {
    expect(lineOf([taking({ x: 1 }), sample('hello')], { trusting: false })).toBeUndefined()
    expect(lineOf([taking({ x: 1 }, { access: 'public' })], { trusting: false })).toMatch(/digits/)
  })

  it.each<[what: string, fn: FunctionManifest]>([
    ['a path parameter', sample('hello', { path: '/hello/:name' })],
    ['the rest of a path', sample('files', { path: '/files/*' })],
    ['an input without an example', sample('sum', { input: { type: 'object' } })],
    ['a body that is not JSON', taking('x', { accepts: ['image/png'] })],
    ['a model that only a token names', taking({ x: 1 }, { model: {} })],
    [
      'a query that must say something',
      sample('find', { query: { required: ['q'], properties: { q: {} } } }),
    ],
  ])('passes over %s', (_, fn) => {
    expect(lineOf([fn])).toBeUndefined()
  })

  it('takes a query whose members have defaults', () => {
    const query = { required: ['to'], properties: { to: { default: 10 } } }
    expect(lineOf([sample('stream', { query })])).toBe('curl http://127.0.0.1:3000/stream')
  })

  it('hands a shell exactly the body, and the path of its file', async () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(text, async (value) => {
        const { line = '' } = exampleCall([taking({ value })], target) ?? {}
        expect((await shellWordsOf(line)).at(-1)).toBe(JSON.stringify({ value }))
        const long = taking({ value: value.repeat(200) })
        // A path may hold anything but a null byte.
        const path = value.replaceAll('\0', '')
        const { line: other = '' } = exampleCall([long], { ...target, bodyPath: () => path }) ?? {}
        expect((await shellWordsOf(other)).at(-1)).toBe(`@${path}`)
      }),
      { numRuns: 30, examples: [['\'; $(id) `id` \\ " \n !']] },
    )
  })
})

async function shellWordsOf(text: string): Promise<string[]> {
  const shell = Bun.spawn(['sh', '-c', `printf '%s\\0' ${text}`], { stdout: 'pipe' })
  return (await new Response(shell.stdout).text()).split('\0').slice(0, -1)
}
