import type { Axis } from './axis.ts'
import { formatNumber } from './table.ts'

/** One line of a chart. */
export interface Line {
  /** Which of the plot's looks it has, from 0. */
  readonly look: number
  /** By number of connections. */
  readonly points: readonly (readonly [connections: number, value: number])[]
}

/** Values by connections, and where on the page they are drawn. */
export interface Chart {
  readonly title: string
  readonly unit: string
  readonly lines: readonly Line[]
  readonly axis: Axis
  /** The numbers of connections, in rising order. */
  readonly counts: readonly number[]
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

/** Room for what stands around a chart: its title above, numbers and units left and below. */
export const margins = { left: 58, right: 16, top: 38, bottom: 40 } as const

/** A chart as elements of SVG. What they look like is said by classes, for light and dark pages. */
export function drawChart(chart: Chart): string {
  const { title, unit, lines, axis, counts } = chart
  const left = chart.left + margins.left
  const right = chart.left + chart.width - margins.right
  const top = chart.top + margins.top
  const bottom = chart.top + chart.height - margins.bottom
  const x = (count: number): number => round(left + placeOf(count, counts) * (right - left))
  const y = (value: number): number => round(bottom - axis.place(value) * (bottom - top))
  return [
    text({ x: chart.left + margins.left, y: chart.top + 15, name: 'title' }, title),
    text({ x: chart.left + margins.left, y: chart.top + 30, name: 'unit' }, unit),
    ...axis.ticks.flatMap((tick) => [
      `<line class="grid" x1="${left}" y1="${y(tick)}" x2="${right}" y2="${y(tick)}"/>`,
      text({ x: left - 7, y: y(tick) + 4, name: 'tick', anchor: 'end' }, formatNumber(tick)),
    ]),
    ...counts.map((count) =>
      text({ x: x(count), y: bottom + 16, name: 'tick', anchor: 'middle' }, String(count)),
    ),
    text({ x: (left + right) / 2, y: bottom + 32, name: 'unit', anchor: 'middle' }, 'connections'),
    ...lines.flatMap(({ look, points }) => {
      const placed = points.map(([count, value]) => [x(count), y(value)] as const)
      const path = placed.map(([px, py]) => `${px},${py}`).join(' ')
      return [
        `<polyline class="line look-${look}" points="${path}"/>`,
        ...placed.map(([px, py]) => drawMark(look, px, py)),
      ]
    }),
  ].join('\n')
}

/** The mark of a look, so that lines differ without colour too. */
export function drawMark(look: number, x: number, y: number): string {
  const corners = [
    null,
    [-4, -4, 4, -4, 4, 4, -4, 4],
    [0, -5.5, 5.5, 0, 0, 5.5, -5.5, 0],
    [0, -5, 5, 4, -5, 4],
    [0, 5, 5, -4, -5, -4],
  ][look]
  if (!corners) return `<circle class="mark look-${look}" cx="${x}" cy="${y}" r="4.5"/>`
  const points = corners.map((offset, index) => round((index % 2 === 0 ? x : y) + offset))
  return `<polygon class="mark look-${look}" points="${points.join(' ')}"/>`
}

/** Where a text stands, and what it is. */
export interface TextPlace {
  readonly x: number
  readonly y: number
  /** The class. */
  readonly name: string
  /** Which part of the text stands at `x`. @default 'start' */
  readonly anchor?: 'start' | 'middle' | 'end'
}

/** A text as an element of SVG. */
export function text({ x, y, name, anchor = 'start' }: TextPlace, content: string): string {
  const safe = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return `<text class="${name}" x="${round(x)}" y="${round(y)}" text-anchor="${anchor}">${safe}</text>`
}

/** Twice the connections is always equally far. */
function placeOf(count: number, counts: readonly number[]): number {
  const [first = 1] = counts
  const last = counts.at(-1) ?? first
  return last === first ? 0.5 : Math.log(count / first) / Math.log(last / first)
}

function round(number: number): number {
  return Math.round(number * 10) / 10
}
