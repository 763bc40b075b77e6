import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Distribution } from '../../runtime/observe/distribution.ts'

describe('a distribution', () => {
  it('counts what is at most as large as each bound', () => {
    const distribution = new Distribution([1, 2, 5])
    for (const value of [0, 1, 1.5, 2, 4, 5, 6, 100]) distribution.add(value)
    expect(distribution.cumulative()).toEqual([2, 4, 6])
    expect(distribution.count).toBe(8)
    expect(distribution.sum).toBe(119.5)
  })

  it('is empty at first', () => {
    const distribution = new Distribution([1])
    expect([distribution.count, distribution.sum, distribution.cumulative()]).toEqual([0, 0, [0]])
  })

  it.each([[[1, 1]], [[2, 1]], [[1, Number.NaN]]])('refuses bounds that do not rise: %j', (bounds) => {
    expect(() => new Distribution(bounds)).toThrow(TypeError)
  })

  it('agrees with counting one by one', () => {
    const bounds = fc
      .uniqueArray(fc.integer({ min: -50, max: 50 }), { minLength: 1 })
      .map((numbers) => numbers.toSorted((a, b) => a - b))
    fc.assert(
      fc.property(bounds, fc.array(fc.integer({ min: -60, max: 60 })), (limits, values) => {
        const distribution = new Distribution(limits)
        for (const value of values) distribution.add(value)
        expect(distribution.count).toBe(values.length)
        expect(distribution.sum).toBe(values.reduce((sum, value) => sum + value, 0))
        expect(distribution.cumulative()).toEqual(
          limits.map((limit) => values.filter((value) => value <= limit).length),
        )
      }),
    )
  })
})
