import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { linearAxis, logAxis } from './axis.ts'

const values = fc.array(fc.double({ min: 1e-3, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 9 })

describe('a linear axis', () => {
  it.each([
    [
      [55_000, 3],
      [0, 20_000, 40_000, 60_000],
    ],
    [[100], [0, 20, 40, 60, 80, 100]],
    [[0.3], [0, 0.1, 0.2, 0.3]],
    [[0], [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [[], [0, 0.2, 0.4, 0.6, 0.8, 1]],
  ])('of %j has the ticks %j', (given, ticks) => {
    expect(linearAxis(given).ticks).toEqual(ticks)
  })

  it('holds all values between its ends, in few even steps', () => {
    fc.assert(
      fc.property(values, (given) => {
        const { ticks, place } = linearAxis(given)
        expect(ticks.length).toBeGreaterThanOrEqual(3)
        expect(ticks.length).toBeLessThanOrEqual(6)
        expect(place(0)).toBe(0)
        expect(place(ticks.at(-1) ?? 0)).toBe(1)
        expect(given.every((value) => place(value) > 0 && place(value) <= 1 + 1e-9)).toBe(true)
      }),
    )
  })
})

describe('a logarithmic axis', () => {
  it.each([
    [
      [1.2, 9],
      [1, 2, 5, 10],
    ],
    [
      [0.3, 260],
      [0.2, 1, 10, 100, 500],
    ],
    [[3], [2, 5]],
    [[2], [2, 5]],
    [[], [1, 2]],
  ])('of %j has the ticks %j', (given, ticks) => {
    expect(logAxis(given).ticks).toEqual(ticks)
  })

  it('holds all values between its ends, which rise', () => {
    fc.assert(
      fc.property(values, (given) => {
        const { ticks, place } = logAxis(given)
        expect(ticks).toEqual([...new Set(ticks)].toSorted((a, b) => a - b))
        expect(ticks.length).toBeGreaterThanOrEqual(2)
        expect(place(ticks[0] ?? 0)).toBe(0)
        expect(place(ticks.at(-1) ?? 0)).toBe(1)
        expect(given.every((value) => place(value) >= -1e-9 && place(value) <= 1 + 1e-9)).toBe(true)
      }),
    )
  })

  it('has equal factors equally far apart', () => {
    const { place } = logAxis([1, 1_000])
    expect(place(100) - place(10)).toBeCloseTo(place(1_000) - place(100))
  })
})
