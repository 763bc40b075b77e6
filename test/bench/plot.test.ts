import { describe, expect, it } from 'vitest'
import type { LoadOutcome } from './load.ts'
import { loadFigures } from './load-figures.ts'
import { plotOf } from './plot.ts'
import type { BenchmarkRecord } from './record.ts'

const outcome = (requestsPerSecond: number, p99Ms: number): LoadOutcome[] => [
  { requestsPerSecond, p99Ms, p50Ms: 1, failures: 0, generatorCores: 0.1, serverMicroseconds: null },
]
const record = (figures: BenchmarkRecord['figures']): BenchmarkRecord => ({
  date: '2026-02-03T04:05:06.000Z',
  machine: { processor: 'A <Chip> & Co', cores: 2, memoryBytes: 1, system: 'Linux 6 x64', load: 2 },
  versions: {},
  figures,
})
const at = (connections: number, chart = 'no-op', peer = 'bare route') =>
  loadFigures({
    name: `${chart}-${connections}`,
    chart,
    peer,
    connections,
    ours: outcome(connections * 100, 2),
    theirs: outcome(connections * 150, 3),
  })
const count = (text: string, pattern: RegExp): number => [...text.matchAll(pattern)].length

describe('the plot', () => {
  const plot = plotOf({ overhead: record([...at(1), ...at(32), ...at(128)]) })

  it('has a line and three marks for each side, of rates and of times', () => {
    // One more line and mark of each side in the legend.
    expect(count(plot, /<polyline class="line look-0"/g)).toBe(3)
    expect(count(plot, /<polyline class="line look-1"/g)).toBe(3)
    expect(count(plot, /class="mark look-0"/g)).toBe(7)
    expect(count(plot, /class="mark look-1"/g)).toBe(7)
  })

  it('names both sides, the units and the machine, and lets no text be markup', () => {
    for (const words of ['>isoplex<', '>bare route<', '>requests/s<', '>connections<', '>128<']) {
      expect(plot).toContain(words)
    }
    expect(plot).toContain('2026-02-03, 2 cores of A &lt;Chip> &amp; Co, Linux 6 x64')
  })

  it('is drawn within its edges', () => {
    const [, width = 0, height = 0] = /viewBox="0 0 (\d+) (\d+)"/.exec(plot)?.map(Number) ?? []
    for (const [, axis, number] of plot.matchAll(/ (?:c?)([xy])[12]?="(-?[\d.]+)"/g)) {
      expect(Number(number)).toBeGreaterThanOrEqual(0)
      expect(Number(number)).toBeLessThanOrEqual(axis === 'x' ? width : height)
    }
    expect(plot).not.toMatch(/NaN|Infinity|undefined/)
  })

  it('leaves out what was measured at one number of connections only, or by other benchmarks', () => {
    const alone = plotOf({ overhead: record(at(8, 'detection')), tensor: record([...at(1), ...at(8)]) })
    expect(alone).not.toContain('detection')
    expect(count(alone, /<polyline/g)).toBe(1)
  })
})
