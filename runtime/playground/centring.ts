/** A picture in shades of one colour: 0 is paper, 1 is ink, row by row. */
export interface Picture {
  readonly width: number
  readonly height: number
  readonly ink: ArrayLike<number>
}

/** Ink fainter than this is none. */
const faintest = 0.05

/**
 * Brings a drawing into the form of MNIST: what is drawn is scaled, its shape kept, to fit a box of 20/28 of the
 * side, and its centre of mass is put into the middle. So it does not matter where and how large somebody draws.
 *
 * Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits".
 *
 * @returns `side * side` values from 0 to 1, row by row; all 0 for an empty drawing.
 */
export function centreDrawing(picture: Picture, side: number): number[] {
  const bounds = boundsOf(picture)
  if (bounds === null) return new Array<number>(side * side).fill(0)
  const box = Math.round((side * 20) / 28)
  const scale = box / Math.max(bounds.width, bounds.height)
  const width = Math.max(1, Math.round(bounds.width * scale))
  const height = Math.max(1, Math.round(bounds.height * scale))
  const small = shrink(picture, bounds, width, height)
  const { x, y } = centreOf({ width, height, ink: small })
  return place({ width, height, ink: small }, side, Math.round(side / 2 - x), Math.round(side / 2 - y))
}

interface Bounds {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

function boundsOf({ width, height, ink }: Picture): Bounds | null {
  let [left, right, top, bottom] = [width, -1, height, -1]
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      if ((ink[y * width + x] ?? 0) < faintest) continue
      left = Math.min(left, x)
      right = Math.max(right, x)
      top = Math.min(top, y)
      bottom = Math.max(bottom, y)
    }
  }
  return right < 0 ? null : { left, top, width: right - left + 1, height: bottom - top + 1 }
}

/** Each value is the mean of the area that it stands for, parts of pixels counted as parts. */
function shrink({ width, ink }: Picture, bounds: Bounds, columns: number, rows: number): number[] {
  const across = Array.from({ length: columns }, (_, column) => spanOf(column, columns, bounds.width))
  const values: number[] = []
  for (let row = 0; row < rows; row += 1) {
    const down = spanOf(row, rows, bounds.height)
    for (const span of across) {
      let [sum, area] = [0, 0]
      for (const [y, share] of down) {
        for (const [x, part] of span) {
          sum += share * part * (ink[(bounds.top + y) * width + bounds.left + x] ?? 0)
          area += share * part
        }
      }
      values.push(area === 0 ? 0 : Math.min(1, sum / area))
    }
  }
  return values
}

/** The pixels below one of `count` equal parts of a length, each with how much of it lies there. */
function spanOf(part: number, count: number, length: number): readonly (readonly [number, number])[] {
  const start = (part * length) / count
  const end = ((part + 1) * length) / count
  const span: [number, number][] = []
  for (let pixel = Math.floor(start); pixel < Math.min(length, Math.ceil(end)); pixel += 1) {
    span.push([pixel, Math.min(end, pixel + 1) - Math.max(start, pixel)])
  }
  return span
}

function centreOf({ width, height, ink }: Picture): { readonly x: number; readonly y: number } {
  let [mass, x, y] = [0, 0, 0]
  for (let index = 0; index < width * height; index += 1) {
    const weight = ink[index] ?? 0
    mass += weight
    x += weight * ((index % width) + 0.5)
    y += weight * (Math.floor(index / width) + 0.5)
  }
  return mass === 0 ? { x: width / 2, y: height / 2 } : { x: x / mass, y: y / mass }
}

/** What would stand outside after centring is cut off. */
function place({ width, height, ink }: Picture, side: number, left: number, top: number): number[] {
  const values = new Array<number>(side * side).fill(0)
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const [column, row] = [left + x, top + y]
      const isInside = column >= 0 && column < side && row >= 0 && row < side
      if (isInside) values[row * side + column] = Math.round((ink[y * width + x] ?? 0) * 1_000) / 1_000
    }
  }
  return values
}
