import { Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import { input } from '../../runtime/define/graph.ts'
import { each, eachFactsOf, edgeFactsOf, isWithin } from '../../runtime/define/graph-edge.ts'
import type { GraphBranch } from '../../runtime/define/graph-program.ts'

const edge = input(Type.Object({ a: Type.Object({ b: Type.Array(Type.Number()) }) }))

describe('an edge', () => {
  it('stands for a value and a way to a part of it', () => {
    const { origin } = edgeFactsOf(edge) ?? {}
    expect(edgeFactsOf(edge)?.path).toEqual([])
    expect(edgeFactsOf(edge.a.b)).toEqual({ origin, path: ['a', 'b'] })
    expect(edgeFactsOf(edge.a.b.length)?.path).toEqual(['a', 'b', 'length'])
  })

  it('is taken for no promise, and tells whoever lists it that it has no value yet', async () => {
    expect(edgeFactsOf(await edge.a)).toEqual(edgeFactsOf(edge.a))
    expect(Reflect.get(edge, 'then')).toBeUndefined()
    expect(() => ({ ...edge })).toThrow(/known when the graph runs/)
    expect(() => `${edge}`).toThrow(TypeError)
    expect(() => Object.assign(edge, { c: 1 })).toThrow(TypeError)
  })

  it.each([null, undefined, 5, 'text', {}, [], () => 1])('is not %s', (value) => {
    expect(edgeFactsOf(value)).toBeNull()
    expect(eachFactsOf(value)).toBeNull()
  })
})

describe('each()', () => {
  it('gives the item as the input, or what is made of it', () => {
    const plain = eachFactsOf(each(edge.a.b))
    expect(edgeFactsOf(plain?.input)?.origin).toBe(plain?.item)
    const made = eachFactsOf(each(edge.a.b, (item) => ({ item, fixed: 1 })))
    expect(made?.input).toMatchObject({ fixed: 1 })
  })

  it('refuses what is no edge', () => {
    // @ts-expect-error a list is no edge
    expect(() => each([1, 2])).toThrow(/takes an edge/)
  })
})

it('knows which branch is within which', () => {
  const branchOf = (parent: GraphBranch | null): GraphBranch => ({
    condition: { kind: 'constant', value: true },
    holds: true,
    parent,
  })
  const outer = branchOf(null)
  const inner = branchOf(outer)
  expect(isWithin(null, null)).toBe(true)
  expect(isWithin(inner, null)).toBe(true)
  expect(isWithin(inner, outer)).toBe(true)
  expect(isWithin(outer, inner)).toBe(false)
  expect(isWithin(null, outer)).toBe(false)
  expect(isWithin(inner, branchOf(outer))).toBe(false)
})
