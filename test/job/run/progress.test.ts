import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ProgressMeter } from '../../../runtime/job/run/progress.ts'

describe('ProgressMeter', () => {
  it('starts at nothing', () => {
    expect(meter({ a: 1 }).snapshot()).toEqual({ overall: 0, current: null, categories: {} })
  })

  it('weighs the fractions of the categories', () => {
    const progress = meter({ model_load: 1, inference: 8, postprocess: 1 })
    progress.report(1, 1, 'model_load')
    expect(progress.snapshot().overall).toBe(10)
    progress.report(1, 3, 'inference')
    expect(progress.snapshot()).toEqual({
      overall: 36.67,
      current: 'inference',
      categories: {
        model_load: { current: 1, total: 1, percent: 100, timeRemainingSeconds: 0 },
        inference: { current: 1, total: 3, percent: 33.33, timeRemainingSeconds: null },
      },
    })
  })

  it('counts ten steps of a tenth right, and stays below 100', () => {
    const names = Array.from({ length: 10 }, (_, index) => `step-${index}`)
    const progress = meter(Object.fromEntries(names.map((name) => [name, 0.1])))
    const seen = names.map((name) => {
      progress.complete(name)
      return progress.snapshot().overall
    })
    expect(seen).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90, 99.99])
  })

  it('shows the step that has begun, and it alone where others were not', () => {
    const progress = meter({ fetch: 1, infer: 1 })
    progress.begin('fetch')
    expect(progress.snapshot()).toEqual({
      overall: 0,
      current: 'fetch',
      categories: { fetch: { current: 0, total: 1, percent: 0, timeRemainingSeconds: null } },
    })
    progress.begin('gone')
    progress.complete('gone')
    expect(progress.snapshot().current).toBe('fetch')
  })

  it('tells the time that is left by the pace since the category began', () => {
    let nowMs = 5000
    const progress = meter({ a: 1 }, { now: () => nowMs })
    const remaining = (current: number, total = 100): number | null => {
      progress.report(current, total, 'a')
      return progress.snapshot().categories.a?.timeRemainingSeconds ?? null
    }
    expect(remaining(0)).toBeNull()
    nowMs += 2000
    expect(remaining(10)).toBe(18)
    nowMs += 1000
    expect(remaining(30)).toBe(7)
    // From the start again: the pace of before says nothing.
    expect(remaining(0)).toBeNull()
    nowMs += 1000
    expect(remaining(1, 3)).toBe(2)
    expect(remaining(3, 3)).toBe(0)
  })

  it('takes what was done before the first report for no pace', () => {
    let nowMs = 0
    const progress = meter({ a: 1 }, { now: () => nowMs })
    progress.report(500, 1000, 'a')
    nowMs += 1000
    progress.report(510, 1000, 'a')
    expect(progress.snapshot().categories.a?.timeRemainingSeconds).toBe(49)
  })

  it('takes up where an earlier attempt was, and does not fall below', () => {
    const progress = meter({ a: 1, b: 1 }, { from: 60 })
    progress.report(1, 2, 'a')
    expect(progress.snapshot().overall).toBe(60)
    progress.report(1, 2, 'a')
    progress.complete('a')
    progress.report(1, 2, 'b')
    expect(progress.snapshot().overall).toBe(75)
    expect(meter({ a: 1 }, { from: 100 }).snapshot().overall).toBe(99.99)
  })

  it('takes any names and weights that a definition takes', () => {
    const weights = Object.fromEntries([
      ['__proto__', Number.MAX_VALUE],
      ['constructor', Number.MAX_VALUE],
      ['1', 0],
    ])
    const progress = meter(weights)
    progress.complete('__proto__')
    expect(progress.snapshot().overall).toBe(50)
    expect(Object.keys(progress.snapshot().categories)).toEqual(['__proto__'])
    const weightless = meter({ a: 0 })
    weightless.report(1, 2, 'a')
    expect(weightless.snapshot().overall).toBe(0)
    expect(weightless.snapshot().categories.a?.percent).toBe(50)
  })
})

describe('an impossible report', () => {
  it.each([
    [1, 0, 'a', 'the total must be a number above 0; it is 0'],
    [1, -1, 'a', 'the total must be a number above 0; it is -1'],
    [1, Number.NaN, 'a', 'the total must be a number above 0; it is NaN'],
    [1, Number.POSITIVE_INFINITY, 'a', 'the total must be a number above 0; it is Infinity'],
    [11, 10, 'a', 'the current value must be from 0 to 10; it is 11'],
    [-1, 10, 'a', 'the current value must be from 0 to 10; it is -1'],
    [Number.NaN, 10, 'a', 'the current value must be from 0 to 10; it is NaN'],
    [1, 10, 'b', 'there is no category "b"; there are "a"'],
    [1, 10, 'toString', 'there is no category "toString"; there are "a"'],
  ])('of %d of %d in %s is an error while developing', (current, total, category, reason) => {
    const progress = meter({ a: 1 }, { strict: true })
    expect(() => progress.report(current, total, category)).toThrow(
      expect.objectContaining({
        code: 'PROGRESS_INVALID',
        message: `Impossible progress in "${category}": ${reason}.`,
      }),
    )
    expect(progress.snapshot()).toEqual({ overall: 0, current: null, categories: {} })
  })

  it.each([
    [11, 10, 10, 10],
    [-1, 10, 0, 10],
    [Number.NaN, 10, 0, 10],
    [5, 0, 1, 1],
    [0, 0, 0, 1],
    [1, Number.NaN, 1, 1],
  ])('of %d of %d is corrected to %d of %d otherwise', (current, total, correctCurrent, correctTotal) => {
    const progress = meter({ a: 1 })
    progress.report(current, total, 'a')
    expect(progress.snapshot().categories.a).toMatchObject({ current: correctCurrent, total: correctTotal })
  })

  it('is told of once in each category, and of so many unknown ones', () => {
    const told: string[] = []
    const progress = meter({ a: 1 }, { onCorrection: (message) => told.push(message) })
    progress.report(2, 1, 'a')
    progress.report(3, 1, 'a')
    progress.report(1, 1, 'b')
    progress.report(1, 1, 'b')
    expect(told).toEqual([
      'Impossible progress in "a": the current value must be from 0 to 1; it is 2.',
      'Impossible progress in "b": there is no category "b"; there are "a".',
    ])
    for (let index = 0; index < 10_000; index++) progress.report(1, 1, `unknown-${index}`)
    expect(told.length).toBeLessThan(200)
    expect(Object.keys(progress.snapshot().categories)).toEqual(['a'])
  })
})

const numbers = fc.oneof(fc.double(), fc.integer({ min: -2, max: 20 }))
const names = fc.constantFrom('a', 'b', 'c', 'd')

it('never falls, and stays within its bounds, whatever is reported', () => {
  fc.assert(
    fc.property(
      fc.dictionary(names, fc.double({ min: 0, noNaN: true, noDefaultInfinity: true })),
      fc.double({ min: 0, max: 100, noNaN: true }),
      fc.array(fc.tuple(numbers, numbers, names)),
      (weights, from, reports) => {
        const progress = meter(weights, { from })
        let last = progress.snapshot().overall
        for (const [current, total, category] of reports) {
          progress.report(current, total, category)
          const { overall, categories } = progress.snapshot()
          expect(overall).toBeGreaterThanOrEqual(last)
          expect(overall).toBeLessThan(100)
          for (const { percent, timeRemainingSeconds } of Object.values(categories)) {
            expect(percent).toBeGreaterThanOrEqual(0)
            expect(percent).toBeLessThanOrEqual(100)
            expect(timeRemainingSeconds ?? 0).toBeGreaterThanOrEqual(0)
          }
          last = overall
        }
      },
    ),
  )
})

it('is the weighted mean of the fractions, however they came', () => {
  const steps = fc.array(
    fc.record({ weight: fc.integer({ min: 1, max: 9 }), done: fc.integer({ min: 0, max: 7 }) }),
    {
      minLength: 1,
      maxLength: 9,
    },
  )
  fc.assert(
    fc.property(steps, (each) => {
      const progress = meter(Object.fromEntries(each.map(({ weight }, index) => [`s${index}`, weight])))
      for (const [index, { done }] of each.entries()) progress.report(done, 7, `s${index}`)
      const all = each.reduce((sum, { weight }) => sum + weight, 0)
      const mean = each.reduce((sum, { weight, done }) => sum + weight * done, 0) / 7 / all
      expect(progress.snapshot().overall).toBeCloseTo(Math.min(99.99, mean * 100), 1)
    }),
  )
})

function meter(
  weights: Readonly<Record<string, number>>,
  options: Partial<ConstructorParameters<typeof ProgressMeter>[0]> = {},
): ProgressMeter {
  return new ProgressMeter({ weights, strict: false, onCorrection: () => {}, ...options })
}
