import { Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import { defineFunction } from '../../runtime/define/function.ts'
import { defineGraph, input } from '../../runtime/define/graph.ts'
import { type Edge, each } from '../../runtime/define/graph-edge.ts'
import { bind, derive, when } from '../../runtime/define/graph-node.ts'

const double = defineFunction({ input: Type.Number(), handler: ({ input: value }) => 2 * value })
const asked = input(Type.Object({ flag: Type.Boolean(), list: Type.Array(Type.Number()) }))

describe('what a graph is made of', () => {
  it('has every node once, after those that it needs, and none that the answer does not need', () => {
    const first = bind(double, 1, { name: 'first' })
    bind(double, first, { name: 'nowhere' })
    const condition = derive(first, (value) => value > 1, { name: 'condition' })
    const choice = when(condition, () => bind(double, first, { name: 'inner' }))
    const fallback = bind(double, 2, { name: 'spare' })
    const last = bind(double, first, { name: 'last', fallback })
    const { graph } = defineGraph({ answer: [last, choice, first] })
    const names = graph?.nodes.map(({ name }) => name)
    expect(names).toEqual(['first', 'spare', 'last', 'condition', 'inner'])
  })

  it('refuses two nodes of one name', () => {
    const [left, right] = [1, 2].map((value) => bind(double, value, { name: 'same' }))
    expect(() => defineGraph({ answer: [left, right] })).toThrow('Two nodes are named "same".')
  })

  it('refuses an edge that leaves its branch', () => {
    let leaked: Edge<number> | undefined
    const choice = when(asked.flag, () => {
      leaked = bind(double, 1)
      return leaked
    })
    expect(() => defineGraph({ input: asked, answer: [choice, leaked] })).toThrow(/outside of it/)
    const other = when(asked.flag, () => bind(double, leaked as Edge<number>))
    expect(() => defineGraph({ input: asked, answer: other })).toThrow(/outside of it/)
  })

  it('refuses an item beyond its each()', () => {
    let leaked: Edge<number> | undefined
    const all = bind(
      double,
      each(asked.list, (item) => {
        leaked = item
        return item
      }),
    )
    expect(() => defineGraph({ input: asked, answer: [all, leaked] })).toThrow(/within that each\(\) only/)
    const bound = bind(
      double,
      each(asked.list, (item) => bind(double, item)),
    )
    expect(() => defineGraph({ input: asked, answer: bound })).toThrow(/within that each\(\) only/)
  })

  it("refuses an input that is not the graph's own", () => {
    const other = input(Type.Number())
    expect(() => defineGraph({ input: asked, answer: bind(double, other) })).toThrow(/another input\(\)/)
    expect(() => defineGraph({ answer: bind(double, other) })).toThrow(/give that as its "input"/)
  })
})
