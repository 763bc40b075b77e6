import type { Picture } from './picture.ts'

/** Where the planes of a resampled picture go, and how its shades become numbers there. */
export interface PlaneTarget {
  /** Blue, then green, then red: each in rows of `stride` numbers. */
  readonly planes: readonly [Float32Array, Float32Array, Float32Array]
  readonly stride: number
  /** What a shade from 0 to 255 is multiplied with, and what is then added, by plane. */
  readonly scales: readonly [number, number, number]
  readonly offsets: readonly [number, number, number]
}

/** Where a sample lies between two neighbours along one side. */
interface Samples {
  readonly before: Uint32Array
  readonly after: Uint32Array
  /** How much of the second of the two. */
  readonly share: Float32Array
}

/** Brings a picture to another size by drawing lines between the centres of its pixels, and writes it as planes. */
export function resample(picture: Picture, width: number, height: number, target: PlaneTarget): void {
  const across = samplesOf(picture.width, width)
  const down = samplesOf(picture.height, height)
  for (let plane = 0; plane < 3; plane += 1) {
    const values = target.planes[plane] as Float32Array
    const scale = target.scales[plane] as number
    const offset = target.offsets[plane] as number
    // The picture has red first, the models want blue first.
    const colour = 2 - plane
    for (let row = 0; row < height; row += 1) {
      writeRow(values.subarray(row * target.stride, row * target.stride + width), picture, across, {
        upper: 3 * picture.width * (down.before[row] as number) + colour,
        lower: 3 * picture.width * (down.after[row] as number) + colour,
        share: down.share[row] as number,
        scale,
        offset,
      })
    }
  }
}

/** What one row is made of. */
interface RowSource {
  readonly upper: number
  readonly lower: number
  readonly share: number
  readonly scale: number
  readonly offset: number
}

function writeRow(values: Float32Array, { pixels }: Picture, across: Samples, source: RowSource): void {
  const { upper, lower, share, scale, offset } = source
  for (let column = 0; column < values.length; column += 1) {
    const left = 3 * (across.before[column] as number)
    const right = 3 * (across.after[column] as number)
    const part = across.share[column] as number
    const above = mix(pixels[upper + left] as number, pixels[upper + right] as number, part)
    const below = mix(pixels[lower + left] as number, pixels[lower + right] as number, part)
    values[column] = mix(above, below, share) * scale + offset
  }
}

function mix(from: number, to: number, share: number): number {
  return from + share * (to - from)
}

function samplesOf(from: number, to: number): Samples {
  const before = new Uint32Array(to)
  const after = new Uint32Array(to)
  const share = new Float32Array(to)
  for (let index = 0; index < to; index += 1) {
    const at = Math.min(Math.max(((index + 0.5) * from) / to - 0.5, 0), from - 1)
    before[index] = Math.floor(at)
    after[index] = Math.min(Math.floor(at) + 1, from - 1)
    share[index] = at - Math.floor(at)
  }
  return { before, after, share }
}
