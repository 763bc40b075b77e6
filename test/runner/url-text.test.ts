import { describe, expect, it } from 'vitest'
import { queryOf, textOf } from '../../runtime/runner/url-text.ts'

describe('queryOf', () => {
  it.each([
    [{}, ''],
    [{ a: undefined, b: [] }, ''],
    [{ a: 'x y&z', b: 5, c: true, d: null }, '?a=x+y%26z&b=5&c=true&d=null'],
    [{ a: [1, 'b', undefined] }, '?a=1&a=b'],
    [{ a: { b: 1 } }, '?a=%7B%22b%22%3A1%7D'],
  ])('of %j is %s', (query, text) => {
    expect(queryOf(query)).toBe(text)
  })
})

it('writes what is no text as JSON', () => {
  expect(['a', 1, null, true, [1], undefined].map(textOf)).toEqual(['a', '1', 'null', 'true', '[1]', ''])
})
