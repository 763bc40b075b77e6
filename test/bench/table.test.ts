import { describe, expect, it } from 'vitest'
import { compare } from './figure.ts'
import type { BenchmarkRecord } from './record.ts'
import { formatNumber, tableOf } from './table.ts'

describe('a number', () => {
  it.each([
    [52_345.6, '52,300'],
    [999.6, '1,000'],
    [12.34, '12.3'],
    [0.8049, '0.805'],
    [0.000123, '0.000123'],
    [0, '0'],
    [Number.NaN, 'NaN'],
  ])('%d is written %s', (number, written) => {
    expect(formatNumber(number)).toBe(written)
  })
})

describe('the table', () => {
  const machine = { processor: 'A Chip', cores: 2, memoryBytes: 8 * 2 ** 30, system: 'Linux 6 x64', load: 2 }
  const figure = (name: string, goal: string, value: number) =>
    compare({ name, goal, unit: 'requests/s', peer: 'a | peer', values: [value], peerValues: [10_000] })
  const record = (...figures: BenchmarkRecord['figures']): BenchmarkRecord => ({
    date: '2026-02-03T04:05:06.000Z',
    machine,
    versions: { bun: '1.4.5' },
    figures,
  })

  it('has a row for each figure with a goal, and says which was missed', () => {
    const fast = record(figure('fast-1', '>= 0.5', 9_000), figure('fast-2', 'none', 1))
    const table = tableOf({ fast, slow: record(figure('slow', '>= 0.5', 400)) })
    expect(table).toBe(`| benchmark | figure | here | peer | ratio | goal |
|---|---|---|---|---|---|
| \`fast\` | 1 | 9,000 requests/s | a \\| peer: 10,000 | 0.9 | >= 0.5: met |
| \`slow\` | slow | 400 requests/s | a \\| peer: 10,000 | 0.04 | >= 0.5: **missed** |

fast, slow: 2026-02-03, 2 cores of A Chip, 8 GiB, Linux 6 x64; bun 1.4.5.
`)
  })
})
