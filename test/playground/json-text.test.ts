import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatJson, formatNumbers, readJson, readNumbers } from '../../runtime/playground/json-text.ts'

describe('formatJson', () => {
  it('is JSON of the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(formatJson(value))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  it('keeps lists of numbers on few lines', () => {
    expect(formatJson({ a: [1, 2, 3], b: { c: [] } })).toBe(
      '{\n  "a": [1, 2, 3],\n  "b": {\n    "c": []\n  }\n}',
    )
    const lines = formatJson(new Array(784).fill(0.125)).split('\n')
    expect(lines.length).toBeLessThan(70)
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(90)
  })

  it('shows what JSON has no word for', () => {
    expect(formatJson([undefined, 12n, Number.NaN])).toBe('[null, 12, null]')
    expect(formatJson({ a: undefined })).toBe('{}')
  })
})

describe('readJson', () => {
  it('reads JSON, and takes an empty text for no value', () => {
    expect(readJson(' {"a": 1} ')).toEqual({ value: { a: 1 }, problem: null })
    expect(readJson(' \n')).toEqual({ value: undefined, problem: null })
  })

  it('says why a text is none', () => {
    expect(readJson('{')).toEqual({ value: undefined, problem: expect.stringMatching(/\w/) })
  })
})

describe('readNumbers', () => {
  it.each([
    ['1, 2, 3', [1, 2, 3]],
    ['[1,2\n3;4]', [1, 2, 3, 4]],
    ['  -1e-3\t.5 ', [-0.001, 0.5]],
    ['', []],
    ['1, a', null],
    ['NaN', null],
    ['Infinity', null],
  ])('reads %j', (text, numbers) => {
    expect(readNumbers(text)).toEqual(numbers)
  })

  it('reads what is written', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true, noDefaultInfinity: true })), (numbers) => {
        expect(readNumbers(formatNumbers(numbers))).toEqual(numbers.map((number) => number + 0))
      }),
    )
  })
})
