import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { maxLevels, parseJson } from '../../runtime/runner/json-text.ts'

/** Nested arrays or objects, and what is in the innermost. */
const arrays = (levels: number, inner = ''): string => '['.repeat(levels) + inner + ']'.repeat(levels)
const objects = (levels: number): string => `${'{"x":'.repeat(levels)}1${'}'.repeat(levels)}`

describe('parseJson', () => {
  it('parses what JSON can say', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(parseJson(JSON.stringify(value))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  it.each(['', '{', 'undefined', "{'a':1}", '[1,]', 'NaN'])('refuses %j as JSON does', (text) => {
    expect(() => parseJson(text)).toThrow(SyntaxError)
  })

  it('takes as many levels as the limit, and not one more', () => {
    for (const nest of [arrays, objects]) {
      expect(() => parseJson(nest(maxLevels))).not.toThrow()
      expect(() => parseJson(nest(maxLevels + 1))).toThrow(RangeError)
    }
    expect(() => parseJson(arrays(maxLevels, '1'))).not.toThrow()
  })

  it('finds what is too deep wherever it stands', () => {
    const deep = arrays(maxLevels)
    for (const text of [`[1,"a",${deep}]`, `{"a":1,"__proto__":${deep}}`, `{"constructor":${deep}}`]) {
      expect(() => parseJson(text)).toThrow(RangeError)
    }
  })

  it('takes many values side by side', () => {
    expect(() => parseJson(`[${'[1],'.repeat(100_000)}[]]`)).not.toThrow()
  })

  it.each([
    ['arrays', arrays(5_000_000)],
    ['objects', objects(1_000_000)],
  ])('refuses millions of %s without running out of stack', (_, text) => {
    expect(() => parseJson(text)).toThrow(`JSON of more than ${maxLevels} levels is not taken`)
  })
})
