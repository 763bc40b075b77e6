import { distance, mostPixels, type Picture, type Point, type Quadrilateral } from './picture.ts'
import { refuseBoxes } from './refusal.ts'

/** A line this much higher than wide is written from top to bottom, or lies on its side. */
const uprightRatio = 1.5
/** How strongly the cubic through four neighbours bends, as in OpenCV. */
const bend = -0.75

/**
 * Cuts what stands in a box out of a picture and straightens it. What is much higher than wide is turned by a quarter to
 * the left, so that text from top to bottom lies.
 */
export function cutLine(picture: Picture, box: Quadrilateral): Picture {
  const { width, height } = sizeOf(box)
  const place = placer(box, width, height)
  const isUpright = height / width >= uprightRatio
  const pixels = new Uint8Array(3 * width * height)
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const to = isUpright ? (width - 1 - x) * height + y : y * width + x
      writeCubic(pixels, 3 * to, picture, place(x, y))
    }
  }
  return isUpright ? { width: height, height: width, pixels } : { width, height, pixels }
}

/**
 * Cuts what stands in each box out of a picture, as {@link cutLine}.
 *
 * @throws {IsoplexError} `INPUT_INVALID` where it would be more pixels than a picture may have: boxes may be given by
 * anybody, and reach as far as they like.
 */
export function cutLines(picture: Picture, boxes: readonly Quadrilateral[]): Picture[] {
  const pixels = boxes.map(sizeOf).reduce((sum, { width, height }) => sum + width * height, 0)
  if (!(pixels <= mostPixels)) throw refuseBoxes(`hold more than ${mostPixels / 1e6} million pixels`)
  return boxes.map((box) => cutLine(picture, box))
}

/** The size of what is cut out of a box, before it is turned. */
function sizeOf([upperLeft, upperRight, lowerRight, lowerLeft]: Quadrilateral): Pick<
  Picture,
  'width' | 'height'
> {
  const width = Math.max(distance(upperLeft, upperRight), distance(lowerRight, lowerLeft))
  const height = Math.max(distance(upperLeft, lowerLeft), distance(upperRight, lowerRight))
  return { width: Math.max(1, Math.trunc(width)), height: Math.max(1, Math.trunc(height)) }
}

/** The same picture turned by half. */
export function turned({ width, height, pixels }: Picture): Picture {
  const turned = new Uint8Array(pixels.length)
  for (let from = 0, to = pixels.length - 3; from < pixels.length; from += 3, to -= 3) {
    turned[to] = pixels[from] as number
    turned[to + 1] = pixels[from + 1] as number
    turned[to + 2] = pixels[from + 2] as number
  }
  return { width, height, pixels: turned }
}

/**
 * Where the places of an upright rectangle lie in a box: the projective mapping of the unit square on a quadrilateral
 * (Heckbert, "Fundamentals of Texture Mapping and Image Warping", 1989, section 2.2.3).
 */
function placer([a, b, c, d]: Quadrilateral, width: number, height: number): (x: number, y: number) => Point {
  const [dx1, dy1] = [b[0] - c[0], b[1] - c[1]]
  const [dx2, dy2] = [d[0] - c[0], d[1] - c[1]]
  const [sumX, sumY] = [a[0] - b[0] + c[0] - d[0], a[1] - b[1] + c[1] - d[1]]
  const determinant = dx1 * dy2 - dx2 * dy1
  const g = determinant === 0 ? 0 : (sumX * dy2 - dx2 * sumY) / determinant
  const h = determinant === 0 ? 0 : (dx1 * sumY - sumX * dy1) / determinant
  const [ux, uy] = [b[0] - a[0] + g * b[0], b[1] - a[1] + g * b[1]]
  const [vx, vy] = [d[0] - a[0] + h * d[0], d[1] - a[1] + h * d[1]]
  return (x, y) => {
    const [u, v] = [x / width, y / height]
    const w = g * u + h * v + 1
    return [(ux * u + vx * v + a[0]) / w, (uy * u + vy * v + a[1]) / w]
  }
}

/** Writes the colours at a place between pixels: cubics through four of them along both sides; edges go on for ever. */
function writeCubic(target: Uint8Array, at: number, { width, height, pixels }: Picture, [x, y]: Point): void {
  const [left, top] = [Math.floor(x), Math.floor(y)]
  const [shareX, shareY] = [x - left, y - top]
  let [red, green, blue] = [0, 0, 0]
  for (let row = -1; row <= 2; row += 1) {
    const line = Math.min(Math.max(top + row, 0), height - 1) * width
    const weightY = cubicWeight(row - shareY)
    for (let column = -1; column <= 2; column += 1) {
      const from = 3 * (line + Math.min(Math.max(left + column, 0), width - 1))
      const weight = weightY * cubicWeight(column - shareX)
      red += weight * (pixels[from] as number)
      green += weight * (pixels[from + 1] as number)
      blue += weight * (pixels[from + 2] as number)
    }
  }
  target[at] = toShade(red)
  target[at + 1] = toShade(green)
  target[at + 2] = toShade(blue)
}

/** Keys, "Cubic Convolution Interpolation for Digital Image Processing", 1981. */
function cubicWeight(offset: number): number {
  const far = Math.abs(offset)
  if (far >= 2) return 0
  if (far > 1) return bend * (((far - 5) * far + 8) * far - 4)
  return ((bend + 2) * far - (bend + 3)) * far * far + 1
}

function toShade(value: number): number {
  return Math.min(Math.max(Math.round(value), 0), 255)
}
