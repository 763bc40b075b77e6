import type { Numbers } from './numbers.ts'
import type { Picture } from './picture.ts'
import { resample } from './resample.ts'

/** Rows of pixels that the models of lines see. */
const stripHeight = 48
/** Columns that the orientation model sees. */
export const orientationWidth = 192
/** Columns that the recognition model sees: the first is what it was trained on, more than the last cost too much. */
const recognitionWidths = { least: 320, most: 3_200, step: 32 } as const
/** Lines of one run, and how much wider than the narrowest of them the others may be. */
const groupSize = 8
const groupSpread = 1.5
/** Shades from -1 to 1. */
const scale = 2 / 255

/** Lines that are read in one run. */
export interface StripGroup {
  /** Their positions among all lines. */
  readonly indexes: readonly number[]
  /** Columns that the widest needs. */
  readonly width: number
}

/** Groups lines of like width, so that little of a run is filled up with nothing. */
export function groupStrips(lines: readonly Pick<Picture, 'width' | 'height'>[]): StripGroup[] {
  const widths = lines.map(columnsOf)
  const groups: { indexes: number[]; narrowest: number; width: number }[] = []
  for (const index of widths
    .keys()
    .toArray()
    .sort((a, b) => at(widths, a) - at(widths, b))) {
    const width = at(widths, index)
    const last = groups.at(-1)
    if (last && last.indexes.length < groupSize && width <= groupSpread * last.narrowest) {
      last.indexes.push(index)
      last.width = width
    } else groups.push({ indexes: [index], narrowest: width, width })
  }
  return groups.map(({ indexes, width }) => ({ indexes, width }))
}

/**
 * What the models of lines are fed: some lines at the height that these see, each filled up with grey on the right to the
 * common width. A line that is wider is squeezed.
 */
export function stripsOf(lines: readonly Picture[], width: number): Numbers {
  const size = stripHeight * width
  const data = new Float32Array(lines.length * 3 * size)
  for (const [index, line] of lines.entries()) {
    const planeOf = (plane: number): Float32Array =>
      data.subarray((3 * index + plane) * size, (3 * index + plane + 1) * size)
    resample(line, Math.min(width, stripWidth(line)), stripHeight, {
      planes: [planeOf(0), planeOf(1), planeOf(2)],
      stride: width,
      scales: [scale, scale, scale],
      offsets: [-1, -1, -1],
    })
  }
  return { data, dims: [lines.length, 3, stripHeight, width] }
}

function columnsOf(line: Pick<Picture, 'width' | 'height'>): number {
  const { least, most, step } = recognitionWidths
  return Math.min(most, Math.ceil(Math.max(least, stripWidth(line)) / step) * step)
}

function stripWidth({ width, height }: Pick<Picture, 'width' | 'height'>): number {
  return Math.max(1, Math.ceil((stripHeight * width) / height))
}

function at(values: readonly number[], index: number): number {
  return values[index] as number
}
