import { Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import type { Definition } from '../../runtime/define/definition.ts'
import { defineFunction } from '../../runtime/define/function.ts'
import { defineGraph } from '../../runtime/define/graph.ts'
import { bind, handle } from '../../runtime/define/graph-node.ts'
import { defineInference } from '../../runtime/define/inference.ts'
import { multiplexed } from '../../runtime/define/model.ts'
import { LoneRunner } from '../replica/lone-runner.ts'

const events: string[] = []
const add = defineInference({
  input: Type.Number(),
  model: multiplexed(
    ({ id }) => {
      events.push(`load ${id}`)
      return Number(id)
    },
    { unload: (model) => void events.push(`unload ${model}`) },
  ),
  setup: () => void events.push('setup add'),
  infer: (x, { model }) => x + model,
})
const double = defineFunction({
  input: Type.Number(),
  setup: () => void events.push('setup double'),
  teardown: () => void events.push('teardown double'),
  handler: ({ input: x }) => 2 * x,
})
const inner = defineGraph({ answer: bind(handle(add, { model: '10' }), 1) })
const graph = defineGraph({
  output: Type.Array(Type.Number()),
  answer: [
    bind(handle(add, { model: '10' }), bind(double, 1), { name: 'ten' }),
    bind(handle(add, { model: '10' }), 3, { name: 'again' }),
    bind(add, 5),
    bind(inner, undefined),
  ],
})
const names = new Map<Definition, string>([
  [add, 'add'],
  [double, 'double'],
  [inner, 'inner'],
])
const partOf = (asked: string | null, id: string) => ({
  function: 'add',
  asked,
  key: `key of ${id}`,
  model: { id, version: '1', path: '' },
})

describe('the runner of a graph', () => {
  it('loads each function with each of its models once, before any request, and frees all of them', async () => {
    const lone = new LoneRunner(graph, {
      nameOf: (definition) => names.get(definition) ?? null,
      parts: [partOf('10', '10'), partOf(null, '100')],
    })
    await lone.runner.start()
    expect(events.toSorted()).toEqual(['load 10', 'load 100', 'setup add', 'setup add', 'setup double'])
    lone.batch({ 1: undefined })
    expect(await lone.value(1)).toEqual([12, 13, 105, 11])
    events.length = 0
    await lone.runner.stop()
    expect(events.toSorted()).toEqual(['teardown double', 'unload 10', 'unload 100'])
  })

  it('loads no function that has replicas of its own', async () => {
    events.length = 0
    const lone = new LoneRunner(defineGraph({ answer: bind(double, 1) }), {
      nameOf: (definition) => names.get(definition) ?? null,
      isApart: (name) => name === 'double',
    })
    await lone.runner.start()
    await lone.runner.stop()
    expect(events).toEqual([])
  })

  it('frees what has come up where another part does not', async () => {
    events.length = 0
    const broken = defineFunction({
      setup: () => {
        throw new Error('broken')
      },
      handler: () => 1,
    })
    const half = defineGraph({ answer: [bind(double, 1), bind(broken, undefined)] })
    const lone = new LoneRunner(half, { nameOf: (definition) => names.get(definition) ?? null })
    await expect(lone.runner.start()).rejects.toMatchObject({ code: 'FUNCTION_BROKEN' })
    expect(events).toEqual(['setup double', 'teardown double'])
  })
})
