import { Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import { input } from '../../runtime/define/graph.ts'
import { each, edgeFactsOf } from '../../runtime/define/graph-edge.ts'
import { originsOf, resolveValue, toGraphValue } from '../../runtime/define/graph-value.ts'
import { tensor } from '../../runtime/engine/tensor.ts'

const edge = input(Type.Object({ a: Type.Optional(Type.Number()), list: Type.Array(Type.Number()) }))
const origin = edgeFactsOf(edge)?.origin
const given = { a: 1, list: [2] }

describe('a value made of edges', () => {
  it('comes to what its edges carry, beside constants of any kind', () => {
    const weights = tensor('float32', Float32Array.of(1), [1])
    const value = toGraphValue({ a: edge.a, deep: [edge.list, 'text', { weights }], all: edge })
    expect(resolveValue(value, () => given)).toEqual({ a: 1, deep: [[2], 'text', { weights }], all: given })
    expect(originsOf(value)).toEqual([origin, origin, origin])
  })

  it('is a constant where it has no edge, and is then left as it is', () => {
    const fixed = { list: [1, { deep: true }] }
    expect(toGraphValue(fixed)).toEqual({ kind: 'constant', value: fixed })
    expect(resolveValue(toGraphValue(fixed), () => null)).toBe(fixed)
    expect(originsOf(toGraphValue(fixed))).toEqual([])
  })

  it('leaves out properties that come to nothing, and goes no further than nothing', () => {
    const value = toGraphValue({ a: edge.a, inner: [edge.a] })
    expect(resolveValue(value, () => ({}))).toEqual({ inner: [undefined] })
    expect(Object.keys(resolveValue(value, () => null) as object)).toEqual(['inner'])
  })

  it('has no each() within', () => {
    expect(() => toGraphValue({ items: each(edge.list) })).toThrow(/whole input of bind/)
  })
})
