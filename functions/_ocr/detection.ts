import type { Numbers } from './numbers.ts'
import { distance, type Picture, type Point, type Quadrilateral } from './picture.ts'
import { cornersOf, grown, smallestRectangle } from './rectangle.ts'
import { regionsOf, type ShareMap } from './regions.ts'
import { resample } from './resample.ts'

/** Where a line of text stands, and how sure it is that there is one. */
export interface DetectedLine {
  readonly box: Quadrilateral
  /** 0 to 1. */
  readonly score: number
}

/** The longer side of what the model sees. */
const longestSide = 960
/** The model halves its picture five times. */
const sideStep = 32
/** Mean and spread of the shades that the model was trained on, blue first as it was. */
const means = [0.485, 0.456, 0.406] as const
const spreads = [0.229, 0.224, 0.225] as const
/** From which share on a place counts as text, and from which mean on a box does. */
const placeThreshold = 0.3
const boxThreshold = 0.6
const mostRegions = 1_000
/** How far a box reaches beyond its shrunken region, as a share of its area by its circumference. */
const growth = 1.5
/** Boxes with a shorter side are no text: as found in the map, grown, and in pixels of the picture. */
const leastFound = 3
const leastGrown = 5
const leastSide = 3
/** Boxes whose upper left corners are less apart in height stand in one row. */
const rowHeight = 10

/** What the detection model is fed for a picture: at most 960 pixels a side, both sides multiples of 32. */
export function detectionInput(picture: Picture): Numbers {
  const ratio = Math.min(1, longestSide / Math.max(picture.width, picture.height))
  const [width, height] = [sideOf(picture.width, ratio), sideOf(picture.height, ratio)]
  const size = width * height
  const data = new Float32Array(3 * size)
  resample(picture, width, height, {
    planes: [data.subarray(0, size), data.subarray(size, 2 * size), data.subarray(2 * size)],
    stride: width,
    scales: [1 / 255 / spreads[0], 1 / 255 / spreads[1], 1 / 255 / spreads[2]],
    offsets: [-means[0] / spreads[0], -means[1] / spreads[1], -means[2] / spreads[2]],
  })
  return { data, dims: [1, 3, height, width] }
}

function sideOf(side: number, ratio: number): number {
  return Math.max(sideStep, Math.round(Math.floor(side * ratio) / sideStep) * sideStep)
}

/**
 * The lines of text in what the model gave: how likely each place is text, shrunken to the middle of its line
 * (Liao et al., "Real-time Scene Text Detection with Differentiable Binarization", 2020). In reading order, in pixels of
 * the picture.
 */
export function linesOf(
  shares: Numbers,
  { width, height }: Pick<Picture, 'width' | 'height'>,
): DetectedLine[] {
  const [, , mapHeight = 0, mapWidth = 0] = shares.dims
  const map = { width: mapWidth, height: mapHeight, values: shares.data }
  const toPicture = ([x, y]: Point): Point => [
    clamp(Math.round((x / mapWidth) * width), width - 1),
    clamp(Math.round((y / mapHeight) * height), height - 1),
  ]
  const lines = regionsOf(map, placeThreshold, mostRegions).flatMap((region) => {
    const found = detect(map, region)
    if (found === null) return []
    const box = found.box.map(toPicture) as unknown as Quadrilateral
    const isLine =
      Math.floor(distance(box[0], box[1])) > leastSide && Math.floor(distance(box[0], box[3])) > leastSide
    return isLine ? [{ box, score: found.score }] : []
  })
  return inReadingOrder(lines)
}

function detect(map: ShareMap, region: readonly Point[]): DetectedLine | null {
  const rectangle = smallestRectangle(region)
  if (rectangle === null || Math.min(rectangle.width, rectangle.height) < leastFound) return null
  const score = meanWithin(map, cornersOf(rectangle))
  if (score < boxThreshold) return null
  const { width, height } = rectangle
  const whole = grown(rectangle, (growth * width * height) / (2 * (width + height)))
  return Math.min(whole.width, whole.height) < leastGrown ? null : { box: cornersOf(whole), score }
}

/** The mean of a map in a box, its edge included. */
function meanWithin(map: ShareMap, box: Quadrilateral): number {
  const corners = box.map(([x, y]): Point => [Math.trunc(x), Math.trunc(y)])
  const [xs, ys] = [corners.map(([x]) => x), corners.map(([, y]) => y)]
  const [left, right] = [clamp(Math.min(...xs), map.width - 1), clamp(Math.max(...xs), map.width - 1)]
  const [top, bottom] = [clamp(Math.min(...ys), map.height - 1), clamp(Math.max(...ys), map.height - 1)]
  let [sum, count] = [0, 0]
  for (let y = top; y <= bottom; y += 1) {
    for (let x = left; x <= right; x += 1) {
      if (!contains(corners, x, y)) continue
      sum += map.values[y * map.width + x] as number
      count += 1
    }
  }
  return count === 0 ? 0 : sum / count
}

/** Whether a place lies in a convex polygon whose corners go clockwise as seen, or on its edge. */
function contains(corners: readonly Point[], x: number, y: number): boolean {
  return corners.every(([fromX, fromY], index) => {
    const [toX, toY] = corners[(index + 1) % corners.length] as Point
    return (toX - fromX) * (y - fromY) - (toY - fromY) * (x - fromX) >= 0
  })
}

/** From the top; from the left where lines stand in one row. */
function inReadingOrder(lines: DetectedLine[]): DetectedLine[] {
  const topOf = ({ box }: DetectedLine): number => box[0][1]
  const leftOf = ({ box }: DetectedLine): number => box[0][0]
  const ordered: DetectedLine[] = []
  for (const line of lines.sort((a, b) => topOf(a) - topOf(b) || leftOf(a) - leftOf(b))) {
    let at = ordered.length
    for (let before = ordered[at - 1]; before !== undefined; before = ordered[at - 1]) {
      if (topOf(line) - topOf(before) >= rowHeight || leftOf(line) >= leftOf(before)) break
      at -= 1
    }
    ordered.splice(at, 0, line)
  }
  return ordered
}

function clamp(value: number, most: number): number {
  return Math.min(Math.max(value, 0), most)
}
