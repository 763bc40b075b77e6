import { describe, expect, it } from 'vitest'
import { assertInput, isCount, isName, isPlainText } from '../../runtime/model/input.ts'

describe('isName', () => {
  it.each(['a', 'acme & sons, 株式会社', 'a/b@c', 'x'.repeat(256), '\u{1f600}'])('takes %j', (text) => {
    expect(isName(text)).toBe(true)
  })

  it.each(['', 'x'.repeat(257), 'a\n', '\u0000', 'a\u007f', '\u0085', '\ud800', 5, null, undefined, ['a']])(
    'refuses %j',
    (value) => {
      expect(isName(value)).toBe(false)
    },
  )
})

it('takes a text up to its length, an empty one too', () => {
  expect([isPlainText('', 2), isPlainText('ab', 2), isPlainText('abc', 2)]).toEqual([true, true, false])
})

it('counts from one, in whole numbers', () => {
  expect([1, 2 ** 53 - 1].every(isCount)).toBe(true)
  expect([0, -1, 1.5, 2 ** 53, Number.NaN, '1', null].some(isCount)).toBe(false)
})

it('tells all that does not fit, and where', () => {
  expect(() => assertInput(['/a', true, 'this'])).not.toThrow()
  expect(() => assertInput(['/a', false, 'this'], ['/b', true, 'that'], ['/c', false, 'more'])).toThrow(
    expect.objectContaining({
      code: 'INPUT_INVALID',
      message: '"a" must be this; "c" must be more.',
      details: {
        issues: [
          { path: '/a', message: 'must be this' },
          { path: '/c', message: 'must be more' },
        ],
      },
    }),
  )
})
