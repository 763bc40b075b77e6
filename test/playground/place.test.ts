import { describe, expect, it } from 'vitest'
import { inOrder, pointerTo, withItem, withMember, withoutItem } from '../../runtime/playground/place.ts'

it('writes places as JSON pointers', () => {
  expect(pointerTo([])).toBe('')
  expect(pointerTo(['a/b', 0, 'c~d'])).toBe('/a~1b/0/c~0d')
})

describe('withMember', () => {
  it('sets a member in its place, and leaves the object as it was', () => {
    const before = Object.freeze({ a: 1, b: 2 })
    expect(Object.entries(withMember(before, 'a', 3))).toEqual([
      ['a', 3],
      ['b', 2],
    ])
  })

  it('takes a member away', () => {
    expect(withMember({ a: 1, b: 2 }, 'a', undefined)).toEqual({ b: 2 })
  })

  it.each([[undefined], [null], [[1]], ['text']])('begins an object where there was %j', (value) => {
    expect(withMember(value, 'a', 1)).toEqual({ a: 1 })
  })

  it('sets a member of a name that every object has', () => {
    expect(withMember({}, 'constructor', 1)).toEqual({ constructor: 1 })
  })
})

it('replaces and removes items', () => {
  expect(withItem(['a', 'b'], 1, 'c')).toEqual(['a', 'c'])
  expect(withoutItem(['a', 'b'], 0)).toEqual(['b'])
})

it('puts members into the order of their schema, and others behind them', () => {
  expect(Object.keys(inOrder({ z: 0, b: 1, a: 2 }, ['a', 'b', 'c']))).toEqual(['a', 'b', 'z'])
})
