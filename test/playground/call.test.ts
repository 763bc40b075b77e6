import { describe, expect, it } from 'vitest'
import { urlOf } from '../../runtime/playground/call.ts'

describe('urlOf', () => {
  const at = (path: string, params: unknown, query?: unknown): string =>
    urlOf({ path }, { params, query, input: undefined })

  it('fills in the path, and leaves what is not known in braces', () => {
    expect(at('/a/{x}/{y}', { x: 'b c/d' })).toBe('/a/b%20c%2Fd/{y}')
    expect(at('/a/{constructor}', {})).toBe('/a/{constructor}')
  })

  it('writes a query as the server reads it: texts as they are, lists one by one, all else as JSON', () => {
    expect(
      at('/a', undefined, { text: 'a&b', on: true, list: [1, 2], none: undefined, deep: { a: 1 } }),
    ).toBe('/a?text=a%26b&on=true&list=1&list=2&deep=%7B%22a%22%3A1%7D')
  })

  it('has no question mark without a query', () => {
    expect(at('/a', undefined, {})).toBe('/a')
  })
})
