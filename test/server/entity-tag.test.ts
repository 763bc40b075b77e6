import { describe, expect, it } from 'vitest'
import { matchesTag } from '../../runtime/server/entity-tag.ts'

describe('matchesTag', () => {
  it.each([
    ['"a"', true],
    ['W/"a"', true],
    ['"b", "a"', true],
    ['*', true],
    ['"b"', false],
    ['a', false],
    ['', false],
    [null, false],
  ])('of %j is %s', (header, matches) => {
    expect(matchesTag(header, '"a"')).toBe(matches)
  })
})
