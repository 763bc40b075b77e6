/** Where a call ran. */
export type Place = 'browser' | 'server'

/** How long one call took, from the click to the answer. */
export interface Measure {
  /** Counts up; calls that ran side by side share it. */
  readonly run: number
  readonly place: Place
  readonly tookMs: number
}

/** The values that half, and all but one in a hundred, of some measures do not exceed. */
export interface Percentiles {
  readonly count: number
  readonly p50: number
  readonly p99: number
}

/** The plot keeps this many of the latest runs. */
export const plottedRuns = 60

/** Adds a measure, and forgets those of runs that are plotted no more. */
export function addMeasure(measures: readonly Measure[], measure: Measure): readonly Measure[] {
  return [...measures.filter(({ run }) => run > measure.run - plottedRuns), measure]
}

/** A percentile by nearest rank: a value that was measured. `null` without values. */
export function percentile(values: readonly number[], share: number): number | null {
  const sorted = values.toSorted((left, right) => left - right)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null
}

/** The percentiles of one place; `null` where nothing ran there. */
export function percentilesOf(measures: readonly Measure[], place: Place): Percentiles | null {
  const values = measures.filter((measure) => measure.place === place).map(({ tookMs }) => tookMs)
  const p50 = percentile(values, 0.5)
  const p99 = percentile(values, 0.99)
  return p50 === null || p99 === null ? null : { count: values.length, p50, p99 }
}

/** A round number not below a value: 1, 2 or 5 times a power of ten, for the top of an axis. */
export function niceCeiling(value: number): number {
  if (!(value > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  const step = [1, 2, 5, 10].find((factor) => factor * power >= value) ?? 10
  return step * power
}

/** A duration as people read it: three digits at most, and a unit. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds >= 1_000) return `${(milliseconds / 1_000).toFixed(milliseconds >= 10_000 ? 1 : 2)} s`
  if (milliseconds >= 100) return `${Math.round(milliseconds)} ms`
  return milliseconds === 0 ? '0 ms' : `${milliseconds.toFixed(milliseconds >= 10 ? 1 : 2)} ms`
}

/** A number of bytes as people read it. */
export function formatBytes(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`
  return bytes < 1_000_000 ? `${(bytes / 1_000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`
}
