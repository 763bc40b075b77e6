import type { JSX } from 'preact'
import {
  formatDuration,
  type Measure,
  niceCeiling,
  type Place,
  percentilesOf,
  plottedRuns,
} from './latency.ts'

/** The plot's own units, which are stretched to the room that there is. */
const chart = { width: 600, height: 140 }
const places: readonly (readonly [Place, string])[] = [
  ['browser', 'Browser'],
  ['server', 'Server'],
]

/** How long the latest calls took: a line for each place, and under it their percentiles. */
export function LatencyPlot({ measures }: { readonly measures: readonly Measure[] }): JSX.Element {
  const top = niceCeiling(Math.max(0, ...measures.map(({ tookMs }) => tookMs)))
  const lastRun = Math.max(plottedRuns, ...measures.map(({ run }) => run))
  const { width, height } = chart
  const x = (run: number): number => (1 - (lastRun - run) / (plottedRuns - 1)) * (width - 12) + 6
  const y = (tookMs: number): number => (1 - tookMs / top) * (height - 12) + 6
  const marks = [1, 0.5, 0]
  return (
    <div class="latency">
      <div class="plot">
        <div class="axis" aria-hidden="true">
          {marks.map((share) => (
            <span key={share}>{measures.length === 0 ? '' : formatDuration(share * top)}</span>
          ))}
        </div>
        <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img">
          <title>{titleOf(measures)}</title>
          <path class="grid" d={marks.map((share) => `M0 ${y(share * top)}H${width}`).join('')} />
          {places.map(([place]) => (
            <Series key={place} place={place} measures={measures} x={x} y={y} />
          ))}
        </svg>
      </div>
      <table>
        <thead>
          <tr>
            <th scope="col">Where</th>
            <th scope="col">runs</th>
            <th scope="col">p50</th>
            <th scope="col">p99</th>
          </tr>
        </thead>
        <tbody>
          {places.map(([place, name]) => (
            <Row key={place} place={place} name={name} measures={measures} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

interface SeriesProps {
  readonly place: Place
  readonly measures: readonly Measure[]
  readonly x: (run: number) => number
  readonly y: (tookMs: number) => number
}

function Series({ place, measures, x, y }: SeriesProps): JSX.Element {
  const points = measures
    .filter((measure) => measure.place === place)
    .map(({ run, tookMs }) => `${x(run).toFixed(1)} ${y(tookMs).toFixed(1)}`)
  return (
    <g class={place}>
      <polyline points={points.join(' ')} />
      {/* A line of no length with round ends is a dot, however the plot is stretched. */}
      <path class="dots" d={points.map((point) => `M${point}h0`).join('')} />
    </g>
  )
}

function Row({
  place,
  name,
  measures,
}: {
  place: Place
  name: string
  measures: readonly Measure[]
}): JSX.Element {
  const percentiles = percentilesOf(measures, place)
  return (
    <tr>
      <th scope="row" class={place}>
        {name}
      </th>
      <td>{percentiles?.count ?? 0}</td>
      <td>{percentiles === null ? '—' : formatDuration(percentiles.p50)}</td>
      <td>{percentiles === null ? '—' : formatDuration(percentiles.p99)}</td>
    </tr>
  )
}

function titleOf(measures: readonly Measure[]): string {
  if (measures.length === 0) return 'No call has been made yet'
  return places
    .flatMap(([place, name]) => {
      const percentiles = percentilesOf(measures, place)
      return percentiles === null
        ? []
        : [`${name}: ${percentiles.count} runs, half within ${formatDuration(percentiles.p50)}`]
    })
    .join('; ')
}
