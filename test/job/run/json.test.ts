import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { unfitForJson } from '../../../runtime/job/run/json.ts'

describe('unfitForJson', () => {
  it('takes whatever comes back the same from JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(unfitForJson(value, 'value')).toBeNull()
      }),
    )
    expect(unfitForJson({ a: undefined, b: Object.create(null) }, 'value')).toBeNull()
  })

  it('takes one object in several places', () => {
    const shared = { a: 1 }
    expect(unfitForJson([shared, shared, { shared }], 'value')).toBeNull()
  })

  it.each([
    [1n, 'a value of type bigint in value'],
    [undefined, 'a value of type undefined in value'],
    [Symbol('a'), 'a value of type symbol in value'],
    [Number.POSITIVE_INFINITY, 'the number Infinity in value'],
    [{ a: [0, { b: Number.NaN }] }, 'the number NaN in value.a[1].b'],
    [[undefined], 'a value of type undefined in value[0]'],
    [new Map(), 'a Map in value'],
    [{ at: new Date(0) }, 'a Date in value.at'],
    [new Uint8Array(1), 'a Uint8Array in value'],
    [{ toJSON: () => 1 }, 'a value of type function in value.toJSON'],
    [Object.create({ a: 1 }), 'an Object in value'],
  ])('refuses %o', (value, reason) => {
    expect(unfitForJson(value, 'value')).toBe(reason)
  })

  it('refuses what holds itself, however branched, and what is nested without end', () => {
    const circle: Record<string, unknown> = { next: [] }
    circle.next = [circle, circle]
    expect(unfitForJson(circle, 'value')).toBe('an object that holds itself in value.next[0]')
    let deep: unknown[] = []
    for (let level = 0; level < 100_000; level++) deep = [deep]
    expect(unfitForJson(deep, 'value')).toMatch(/nested more than 500 deep in value\[0\]/)
  })
})
