import { Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import { describeGraph } from '../../runtime/build/graph-manifest.ts'
import type { Definition } from '../../runtime/define/definition.ts'
import { defineFunction } from '../../runtime/define/function.ts'
import { defineGraph, input } from '../../runtime/define/graph.ts'
import { each } from '../../runtime/define/graph-edge.ts'
import { bind, derive, handle, when } from '../../runtime/define/graph-node.ts'
import { defineInference } from '../../runtime/define/inference.ts'
import { multiplexed } from '../../runtime/define/model.ts'
import type { Place } from '../../runtime/define/options.ts'

const Crops = Type.Object({ crops: Type.Array(Type.Number()), angle: Type.Number() })
const both = ['server', 'browser'] as const
const detect = defineInference({
  runs: both,
  input: Type.Number(),
  output: Crops,
  model: multiplexed(() => null, { default: 'detector' }),
  infer: () => ({ crops: [1], angle: 0 }),
})
const read = defineInference({
  access: 'public',
  input: Type.Number(),
  output: Type.String(),
  model: multiplexed(() => null),
  infer: () => 'text',
})
const turn = defineFunction({ runs: both, input: Type.Number(), handler: ({ input: x }) => x })
const names = new Map<Definition, string>([
  [detect, 'ocr/detect'],
  [read, 'ocr/read'],
  [turn, 'turn'],
])
const nameOf = (definition: Definition): string | null => names.get(definition) ?? null

const page = input(Type.Object({ x: Type.Number() }))
const found = bind(detect, page.x, { retries: 1 })
const upright = when(
  derive(found.angle, (angle) => angle > 45, { name: 'isTurned' }),
  () => bind(turn, page.x),
  () => page.x,
)
const lines = bind(handle(read, { model: 'latin' }), each(found.crops), { fallback: '' })
const ocr = defineGraph({ input: page, answer: { lines, upright } })
const describeIt = (graph: typeof ocr | ReturnType<typeof bind>, runs: readonly Place[] = ['server']) => {
  const { graph: program } = graph as Definition
  if (!program) throw new Error('It is no graph.')
  return describeGraph(program, { nameOf, runs })
}
const answering = (answer: unknown) => defineGraph({ answer }) as typeof ocr

describe('what is told of a graph', () => {
  it('names nodes, functions, models and what they need', () => {
    const { nodes } = describeIt(ocr)
    expect(nodes).toMatchObject([
      {
        name: 'detect',
        function: 'ocr/detect',
        model: null,
        after: [],
        onFailure: { retries: 1, fallback: false },
      },
      { name: 'read', function: 'ocr/read', model: 'latin', after: ['detect'], fanOut: true },
      { name: 'isTurned', function: null, after: ['detect'], fanOut: false, condition: null },
      { name: 'turn', function: 'turn', after: ['isTurned'], condition: 'taken' },
    ])
    expect(nodes[1]?.onFailure).toEqual({ retries: 0, fallback: true })
  })

  it('names edges by what they are for, both branches of a condition among them', () => {
    expect(describeIt(ocr).edges).toEqual([
      { from: 'input', to: 'detect', path: 'x', kind: 'value' },
      { from: 'detect', to: 'read', path: 'crops', kind: 'items' },
      { from: 'detect', to: 'isTurned', path: 'angle', kind: 'value' },
      { from: 'isTurned', to: 'turn', path: '', kind: 'condition' },
      { from: 'input', to: 'turn', path: 'x', kind: 'value' },
      { from: 'read', to: 'answer', path: '', kind: 'value' },
      { from: 'turn', to: 'answer', path: '', kind: 'value' },
      { from: 'input', to: 'answer', path: 'x', kind: 'value' },
      { from: 'isTurned', to: 'answer', path: '', kind: 'condition' },
    ])
  })

  it('lists each model once, with those of graphs within it, and none of a deployment', () => {
    const outer = answering([
      bind(ocr, { x: 1 }),
      bind(detect, 1),
      bind(detect, 2),
      bind(handle(detect, { model: 'detector@2' }), 1),
      bind(handle(detect, { deployment: 'elsewhere' }), 1),
    ])
    expect(describeIt(outer).models).toEqual([
      { function: 'ocr/detect', asked: null, default: 'detector', access: 'token' },
      { function: 'ocr/read', asked: 'latin', default: null, access: 'public' },
      { function: 'ocr/detect', asked: 'detector@2', default: 'detector', access: 'token' },
    ])
  })
})

describe('a graph is refused', () => {
  const stray = defineInference({ input: Type.Number(), model: multiplexed(() => null), infer: () => 1 })

  it.each<[string, unknown, readonly Place[], RegExp]>([
    [
      'a model without a function file',
      bind(stray, 1),
      ['server'],
      /"function" calls a function with a model that no/,
    ],
    [
      'a model of a function without one',
      bind(handle(turn, { model: 'm' }), 1),
      ['server'],
      /"turn" asks a function/,
    ],
    ['a function of servers alone in a browser', bind(read, 1), both, /node "read" does not/],
    ['a deployment in a browser', bind(handle(detect, { deployment: 'd' }), 1), both, /asks a deployment/],
  ])('for %s', (_, answer, runs, message) => {
    expect(() => describeIt(answering(answer), runs)).toThrow(message)
  })

  it('for nothing where all of its nodes run in a browser', () => {
    const inline = defineFunction({ handler: () => 1 })
    const graph = answering([
      bind(handle(detect, { model: 'm' }), bind(turn, 1)),
      bind(inline, undefined),
      derive(1, () => 1),
    ])
    expect(describeIt(graph, both).nodes).toHaveLength(4)
  })
})
