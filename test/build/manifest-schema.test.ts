import { describe, expect, it } from 'vitest'
import type { FunctionManifest } from '../../runtime/build/manifest.ts'
import { functionManifestSchema } from '../../runtime/build/manifest-schema.ts'
import { createChecker } from '../../runtime/define/check.ts'
import { sampleFunction } from './manifest-samples.ts'

const checker = createChecker(functionManifestSchema)

/** A function with every member that a manifest may have: `Required` makes the compiler see to it. */
const whole: Required<FunctionManifest> = {
  ...sampleFunction('a'),
  browser: { bundle: 'a.browser-0123456789abcdef.js' },
  calls: ['b'],
  description: 'What it does.',
  timeoutMs: 1,
  maxBodyBytes: 1,
  maxOngoingRequests: 1,
  batch: { maxSize: 1, maxDelayMs: 0, maxBytes: 1 },
  model: { default: 'digits', maxModelsPerReplica: 1 },
  deployment: { replicas: { min: 0, max: 2 }, options: { loud: true }, routePrefix: '/loud' },
  action: {
    category: 'neural_net',
    timeoutMs: null,
    models: ['digits'],
    weights: { load: 1 },
    steps: ['load'],
  },
  graph: {
    nodes: [
      {
        name: 'read',
        function: 'ocr/read',
        model: 'reader',
        deployment: null,
        after: [],
        fanOut: true,
        condition: 'taken',
        onFailure: { retries: 1, fallback: true },
      },
    ],
    edges: [{ from: 'input', to: 'read', path: 'crops', kind: 'items' }],
    models: [{ function: 'ocr/read', asked: 'reader', default: null, access: 'token' }],
  },
  accepts: ['application/json'],
  params: {},
  query: {},
  input: { type: 'object' },
  output: {},
}

describe('the schema of a manifest', () => {
  it('takes a function with nothing optional, and one with everything', () => {
    expect(checker.issues(sampleFunction('a'))).toEqual([])
    expect(checker.issues(whole)).toEqual([])
  })

  it('knows exactly the members that a manifest has', () => {
    expect(Object.keys(functionManifestSchema.properties).toSorted()).toEqual(Object.keys(whole).toSorted())
  })

  it.each<[member: keyof FunctionManifest, value: unknown]>([
    ['name', 'a b'],
    ['name', '/a'],
    ['name', 'a//b'],
    ['name', 'x'.repeat(257)],
    ['path', 'a'],
    ['kind', 'diagram'],
    ['graph', { nodes: [] }],
    ['action', { steps: [] }],
    ['methods', []],
    ['methods', ['GET', 'GET']],
    ['methods', ['TRACE']],
    ['bundle', 'a/b-0123456789abcdef.js'],
    ['browser', { bundle: '../a-0123456789abcdef.js' }],
    ['browser', {}],
    ['bundle', 'b-0123456789abcdeg.js'],
    ['sources', []],
    ['access', null],
    ['timeoutMs', 0],
    ['timeoutMs', Number.POSITIVE_INFINITY],
    ['maxOngoingRequests', 1.5],
    ['batch', { maxSize: 0, maxDelayMs: 0 }],
    ['batch', { maxSize: 1 }],
    ['batch', { maxSize: 1, maxDelayMs: 0, maxBytes: 0 }],
    ['model', { default: '' }],
    ['deployment', { replicas: -1 }],
    ['deployment', { name: 'a' }],
    ['accepts', [1]],
    ['input', true],
  ])('refuses %s as %j', (member, value) => {
    const [issue] = checker.issues({ ...whole, [member]: value })
    expect(issue?.path.split('/')[1]).toBe(member)
  })
})
