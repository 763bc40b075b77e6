import { linearAxis, logAxis } from './axis.ts'
import { type Chart, drawChart, drawMark, type Line, text } from './chart.ts'
import type { Figure } from './figure.ts'
import type { ChartNotes } from './load-figures.ts'
import type { BenchmarkRecord, BenchmarkRecords } from './record.ts'

/** A figure that belongs to a chart. */
type ChartFigure = Figure & { readonly notes: ChartNotes }

const pictureFile = new URL('./figures.svg', import.meta.url)
const plotted = ['overhead', 'inference']
const [chartWidth, chartHeight, legendRow, edge] = [430, 216, 22, 14]
const ours = 'isoplex'

/** The colour of each look, on light and on dark ground; they differ for those who see few colours, too. */
const colours: readonly (readonly [light: string, dark: string])[] = [
  ['#0b63b8', '#5cb3f5'],
  ['#c24a00', '#f39a4f'],
  ['#a8478a', '#e89bd0'],
  ['#00805c', '#3ecfa2'],
  ['#6b6b00', '#d6d04a'],
]

/** Draws `figures.svg`. */
export async function drawFigures(records: BenchmarkRecords): Promise<void> {
  await Bun.write(pictureFile, plotOf(records))
}

/**
 * Requests per second and p99 by connections, for us and for each peer, as an SVG that suits light and dark pages.
 * It shows the figures that have a chart in their notes and there differ in their connections.
 */
export function plotOf(records: BenchmarkRecords): string {
  const taken = plotted.flatMap((name) => records[name] ?? [])
  const figures = taken.flatMap((record) => record.figures).filter(isChartFigure)
  const charts = [...Map.groupBy(figures, ({ notes }) => notes.chart)].filter(
    ([, group]) => countsOf(group).length > 1,
  )
  const shown = charts.flatMap(([, group]) => group)
  const sides = [ours, ...new Set(shown.map(({ peer }) => peer))]
  const legendHeight = Math.ceil(sides.length / 2) * legendRow
  const top = 64 + legendHeight
  const width = 2 * chartWidth + 2 * edge
  const height = top + charts.length * chartHeight + 24
  const note = { x: edge, y: height - 10, name: 'unit' }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="Requests per second and p99 by connections">
<style>
${style()}
</style>
<rect class="ground" width="${width}" height="${height}"/>
${text({ x: edge, y: 28, name: 'heading' }, 'Requests per second (more is better) and p99 (less is better)')}
${sides.map((side, index) => drawLegend(side, index)).join('\n')}
${charts.map(([title, group], row) => drawRow(title, group, { sides, top: top + row * chartHeight })).join('\n')}
${text(note, takenOn(taken))}
</svg>
`
}

function isChartFigure(figure: Figure): figure is ChartFigure {
  const { chart, connections } = figure.notes ?? {}
  return typeof chart === 'string' && typeof connections === 'number'
}

/** Both charts of one thing: the rates on the left, the times on the right. */
function drawRow(
  title: string,
  figures: readonly ChartFigure[],
  { sides, top }: { readonly sides: readonly string[]; readonly top: number },
): string {
  const counts = countsOf(figures)
  const draw = (unit: string, about: Pick<Chart, 'title' | 'unit' | 'left'>): string => {
    const lines = linesOf(
      figures.filter((figure) => figure.unit === unit),
      sides,
    )
    const values = lines.flatMap(({ points }) => points.map(([, value]) => value))
    const axis = unit === 'ms' ? logAxis(values) : linearAxis(values)
    return drawChart({ ...about, lines, axis, counts, top, width: chartWidth, height: chartHeight })
  }
  return [
    draw('requests/s', { title, unit: 'requests/s', left: edge }),
    draw('ms', { title: `${title}: p99`, unit: 'ms, a logarithmic axis', left: edge + chartWidth }),
  ].join('\n')
}

/** Ours, which stands in the figures against each peer, and the peers'. The first are drawn last, on top. */
function linesOf(figures: readonly ChartFigure[], sides: readonly string[]): Line[] {
  return sides
    .map((side, look): Line => {
      const own = figures.filter(({ peer }) => side === ours || peer === side)
      const points = own.map(
        ({ notes, value, peerValue }) => [notes.connections, side === ours ? value : peerValue] as const,
      )
      return { look, points: [...new Map(points)].toSorted(([a], [b]) => a - b) }
    })
    .filter(({ points }) => points.length > 0)
    .toReversed()
}

function countsOf(figures: readonly ChartFigure[]): number[] {
  return [...new Set(figures.map(({ notes }) => notes.connections))].toSorted((a, b) => a - b)
}

function drawLegend(side: string, index: number): string {
  const x = edge + (index % 2) * chartWidth
  const y = 50 + Math.floor(index / 2) * legendRow
  return [
    `<polyline class="line look-${index}" points="${x},${y} ${x + 32},${y}"/>`,
    drawMark(index, x + 16, y),
    text({ x: x + 42, y: y + 4, name: 'legend' }, side),
  ].join('\n')
}

function takenOn(records: readonly BenchmarkRecord[]): string {
  const [first] = records.toSorted((a, b) => b.date.localeCompare(a.date))
  if (!first) return ''
  const { processor, cores, system } = first.machine
  return `${first.date.slice(0, 10)}, ${cores} cores of ${processor}, ${system}, load by wrk on the same machine`
}

function style(): string {
  const coloured = (shade: 0 | 1): string =>
    colours.map((pair, look) => `.look-${look} { --look: ${pair[shade]}; }`).join('\n')
  return `svg { --ground: #ffffff; --ink: #1f2328; --faint: #59636e; --grid: #d8dee4; }
text { font-family: system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: var(--ink); }
.ground { fill: var(--ground); }
.heading { font-size: 17px; font-weight: 600; }
.title { font-size: 13px; font-weight: 600; }
.legend { font-size: 13px; }
.tick, .unit { font-size: 11px; fill: var(--faint); }
.grid { stroke: var(--grid); stroke-width: 1; }
.line { fill: none; stroke: var(--look); stroke-width: 2; stroke-linejoin: round; }
.mark { fill: var(--look); stroke: var(--ground); stroke-width: 1; }
${coloured(0)}
@media (prefers-color-scheme: dark) {
svg { --ground: #0d1117; --ink: #e6edf3; --faint: #9198a1; --grid: #30363d; }
${coloured(1)}
}`
}
