import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addMeasure,
  formatBytes,
  formatDuration,
  type Measure,
  niceCeiling,
  percentile,
  percentilesOf,
  plottedRuns,
} from '../../runtime/playground/latency.ts'

describe('percentile', () => {
  it('is the nearest rank', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index)
    expect(percentile(hundred, 0.5)).toBe(50)
    expect(percentile(hundred, 0.99)).toBe(99)
    expect(percentile([3], 0.99)).toBe(3)
    expect(percentile([], 0.5)).toBeNull()
  })

  it('is one of the values, with its share of them at or below it', () => {
    const values = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1 })
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (measured, share) => {
        const found = percentile(measured, share) ?? -1
        expect(measured).toContain(found)
        expect(measured.filter((value) => value <= found).length).toBeGreaterThanOrEqual(
          share * measured.length - 1e-6,
        )
      }),
    )
  })
})

describe('addMeasure', () => {
  const at = (run: number): Measure => ({ run, place: run % 2 === 0 ? 'server' : 'browser', tookMs: run })

  it('keeps the latest runs only', () => {
    let measures: readonly Measure[] = []
    for (let run = 1; run <= 200; run += 1) measures = addMeasure(measures, at(run))
    expect(measures).toHaveLength(plottedRuns)
    expect(measures.at(-1)).toEqual(at(200))
  })

  it('keeps both places of one run', () => {
    const both = addMeasure(addMeasure([], { run: 1, place: 'server', tookMs: 2 }), {
      run: 1,
      place: 'browser',
      tookMs: 4,
    })
    expect(percentilesOf(both, 'server')).toEqual({ count: 1, p50: 2, p99: 2 })
    expect(percentilesOf(both, 'browser')).toEqual({ count: 1, p50: 4, p99: 4 })
    expect(percentilesOf([], 'server')).toBeNull()
  })
})

it.each([
  [0, 1],
  [0.3, 0.5],
  [1, 1],
  [1.1, 2],
  [49, 50],
  [51, 100],
  [1_001, 2_000],
])('rounds an axis up from %d to %d', (value, top) => {
  expect(niceCeiling(value)).toBeCloseTo(top)
})

it.each([
  [0, '0 ms'],
  [0.123, '0.12 ms'],
  [12.34, '12.3 ms'],
  [123.4, '123 ms'],
  [1_234, '1.23 s'],
  [12_340, '12.3 s'],
])('writes %d ms as %s', (milliseconds, text) => {
  expect(formatDuration(milliseconds)).toBe(text)
})

it.each([
  [0, '0 B'],
  [999, '999 B'],
  [1_500, '1.5 kB'],
  [2_345_678, '2.3 MB'],
])('writes %d bytes as %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text)
})
