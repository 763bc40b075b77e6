import { describe, expect, it } from 'vitest'
import { mixChannels, peaksOf, resample, toSamples } from '../../runtime/playground/sound.ts'

/** A tone of one second. */
function tone(frequencyHz: number, sampleRateHz: number): Float32Array {
  return Float32Array.from({ length: sampleRateHz }, (_, index) =>
    Math.sin((2 * Math.PI * frequencyHz * index) / sampleRateHz),
  )
}

/** The largest difference, ends left out: there the filter has one side only. */
function difference(left: Float32Array, right: Float32Array): number {
  const inner = Array.from(left.subarray(200, -200), (sample, index) =>
    Math.abs(sample - (right[index + 200] ?? 9)),
  )
  return Math.max(...inner)
}

describe('resample', () => {
  it.each([
    [48_000, 440],
    [44_100, 1_000],
    [8_000, 440],
    [16_000, 440],
  ])('brings a tone of %i samples a second to 16,000 without changing it', (sampleRateHz, frequencyHz) => {
    const result = resample({ samples: tone(frequencyHz, sampleRateHz), sampleRateHz }, 16_000)
    expect(result).toHaveLength(16_000)
    expect(difference(result, tone(frequencyHz, 16_000))).toBeLessThan(0.01)
  })

  it('takes away what the slower rate cannot carry instead of folding it back', () => {
    const result = resample({ samples: tone(12_000, 48_000), sampleRateHz: 48_000 }, 16_000)
    expect(Math.max(...result.subarray(200, -200))).toBeLessThan(0.02)
  })

  it('keeps silence silent and a constant constant', () => {
    expect(Math.max(...resample({ samples: new Float32Array(4_800), sampleRateHz: 48_000 }, 16_000))).toBe(0)
    const constant = resample({ samples: new Float32Array(4_410).fill(0.5), sampleRateHz: 44_100 }, 16_000)
    for (const sample of constant) expect(sample).toBeCloseTo(0.5, 5)
  })

  it('makes nothing of nothing', () => {
    expect(resample({ samples: new Float32Array(), sampleRateHz: 48_000 }, 16_000)).toHaveLength(0)
  })
})

it('mixes channels to one', () => {
  expect(mixChannels([Float32Array.of(1, 0), Float32Array.of(0, -1)])).toEqual(Float32Array.of(0.5, -0.5))
  expect(mixChannels([])).toHaveLength(0)
})

it('gives samples within bounds, no more than are taken', () => {
  expect(toSamples(Float32Array.of(-2, 0.123456, 2, 1), 3)).toEqual([-1, 0.1235, 1])
  expect(toSamples(Float32Array.of(0.5), null)).toEqual([0.5])
})

describe('peaksOf', () => {
  it('finds the lowest and highest of each part', () => {
    expect(peaksOf([0, 1, -1, 0.5], 2)).toEqual([
      [0, 1],
      [-1, 0.5],
    ])
  })

  it('has a peak for each column, also where there are fewer samples', () => {
    expect(peaksOf([1], 3)).toHaveLength(3)
    expect(peaksOf([], 0)).toEqual([])
  })
})
