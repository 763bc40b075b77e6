import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { pseudoRandom } from '../support/arithmetic.ts'
import { countMisses, zipfAccesses } from './zipf.ts'

describe('accesses by the law of Zipf', () => {
  it('ask for the thing at place k in proportion to 1 / (k + 1)', () => {
    const accesses = zipfAccesses(50, 100_000, pseudoRandom(1))
    const counts = [0, 1, 3].map((place) => accesses.filter((access) => access === place).length)
    const [first = 0, second = 0, fourth = 0] = counts
    expect(first / second).toBeCloseTo(2, 0)
    expect(first / fourth).toBeCloseTo(4, 0)
    expect(accesses.every((access) => Number.isInteger(access) && access >= 0 && access < 50)).toBe(true)
  })

  it('are the same for the same seed', () => {
    expect(zipfAccesses(9, 100, pseudoRandom(7))).toEqual(zipfAccesses(9, 100, pseudoRandom(7)))
  })
})

describe('the misses of a cache', () => {
  it('are those of whoever makes room for the least recently used', () => {
    expect(countMisses([1, 2, 3, 1, 2, 3], 2)).toBe(6)
    expect(countMisses([1, 2, 1, 3, 1, 2], 2)).toBe(4)
  })

  it('are each thing once where all have room, and never more than with less room', () => {
    const accesses = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 200 })
    fc.assert(
      fc.property(accesses, fc.integer({ min: 1, max: 9 }), (sequence, places) => {
        expect(countMisses(sequence, 10)).toBe(new Set(sequence).size)
        expect(countMisses(sequence, places + 1)).toBeLessThanOrEqual(countMisses(sequence, places))
      }),
    )
  })
})
