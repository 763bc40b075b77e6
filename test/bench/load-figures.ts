import { compare, type Figure, median } from './figure.ts'
import type { LoadOutcome } from './load.ts'

/** The same load on both sides, round by round. */
export interface LoadComparison {
  readonly name: string
  readonly peer: string
  /** The chart of the plot that the figures stand in: those of one chart differ in their connections only. */
  readonly chart: string
  readonly connections: number
  readonly ours: readonly LoadOutcome[]
  readonly theirs: readonly LoadOutcome[]
  /** Of the rates. @default 'none' */
  readonly goal?: string
  /** Of the times that 99 of 100 requests took at most. @default 'none' */
  readonly p99Goal?: string
  readonly notes?: Readonly<Record<string, unknown>>
}

/** The notes of a figure that the plot shows. */
export interface ChartNotes {
  readonly chart: string
  readonly connections: number
}

/** Makes two figures of a load: the requests per second, and the p99 under the same name with `-p99` after it. */
export function loadFigures(comparison: LoadComparison): readonly [Figure, Figure] {
  const { name, peer, chart, connections, ours, theirs } = comparison
  const notes = {
    chart,
    connections,
    generator: 'wrk',
    generatorCores: median(ours.map(({ generatorCores }) => generatorCores)),
    peerGeneratorCores: median(theirs.map(({ generatorCores }) => generatorCores)),
    // What a request costs is told apart from how long it waits for a processor, on a busy machine above all.
    serverMicroseconds: costOf(ours),
    peerServerMicroseconds: costOf(theirs),
    ...comparison.notes,
  } satisfies ChartNotes & Record<string, unknown>
  const rates = (outcomes: readonly LoadOutcome[]): number[] =>
    outcomes.map(({ requestsPerSecond }) => requestsPerSecond)
  const times = (outcomes: readonly LoadOutcome[]): number[] => outcomes.map(({ p99Ms }) => p99Ms)
  return [
    compare({
      name,
      unit: 'requests/s',
      peer,
      goal: comparison.goal ?? 'none',
      values: rates(ours),
      peerValues: rates(theirs),
      notes,
    }),
    compare({
      name: `${name}-p99`,
      unit: 'ms',
      peer,
      goal: comparison.p99Goal ?? 'none',
      values: times(ours),
      peerValues: times(theirs),
      notes,
    }),
  ]
}

function costOf(outcomes: readonly LoadOutcome[]): number | null {
  const costs = outcomes.map(({ serverMicroseconds }) => serverMicroseconds).filter((cost) => cost !== null)
  return costs.length > 0 ? median(costs) : null
}
