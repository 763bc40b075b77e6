import { distance, type Point, type Quadrilateral } from './picture.ts'

/** A rectangle that may be turned. */
export interface Rectangle {
  readonly centre: Point
  /** The direction of `width`, of length one. */
  readonly axis: Point
  readonly width: number
  readonly height: number
}

/**
 * The smallest rectangle around some points: one of its sides lies on a side of their convex hull (Freeman and Shapira,
 * 1975). `null` where there is no point.
 */
export function smallestRectangle(points: readonly Point[]): Rectangle | null {
  const hull = convexHull(points)
  const [first] = hull
  if (first === undefined) return null
  let smallest = rectangleAlong(hull, [1, 0])
  for (const [index, from] of hull.entries()) {
    const to = hull[index + 1] ?? first
    const length = distance(from, to)
    if (length === 0) continue
    const rectangle = rectangleAlong(hull, [(to[0] - from[0]) / length, (to[1] - from[1]) / length])
    if (rectangle.width * rectangle.height < smallest.width * smallest.height) smallest = rectangle
  }
  return smallest
}

/** The corners of a rectangle, clockwise, from the upper one of the two on the left. */
export function cornersOf({ centre: [x, y], axis: [dx, dy], width, height }: Rectangle): Quadrilateral {
  const corner = (along: number, across: number): Point => [
    x + (dx * along * width - dy * across * height) / 2,
    y + (dy * along * width + dx * across * height) / 2,
  ]
  const byX = [corner(-1, -1), corner(1, -1), corner(1, 1), corner(-1, 1)].sort((a, b) => a[0] - b[0])
  const [upperLeft, lowerLeft] = byX.slice(0, 2).sort((a, b) => a[1] - b[1]) as [Point, Point]
  const [upperRight, lowerRight] = byX.slice(2).sort((a, b) => a[1] - b[1]) as [Point, Point]
  return [upperLeft, upperRight, lowerRight, lowerLeft]
}

/** The same rectangle with each side moved outwards. */
export function grown(rectangle: Rectangle, by: number): Rectangle {
  return { ...rectangle, width: rectangle.width + 2 * by, height: rectangle.height + 2 * by }
}

/** Andrew's monotone chain: counter-clockwise where y goes up, without points on a side. */
function convexHull(points: readonly Point[]): Point[] {
  const sorted = points.toSorted((a, b) => a[0] - b[0] || a[1] - b[1])
  const lower = halfHull(sorted)
  const upper = halfHull(sorted.reverse())
  return sorted.length < 2 ? sorted : [...lower.slice(0, -1), ...upper.slice(0, -1)]
}

function halfHull(sorted: readonly Point[]): Point[] {
  const hull: Point[] = []
  for (const point of sorted) {
    while (hull.length >= 2 && turn(hull.at(-2) as Point, hull.at(-1) as Point, point) <= 0) hull.pop()
    hull.push(point)
  }
  return hull
}

/** Above zero where the way from a over b to c turns to the left. */
function turn(a: Point, b: Point, c: Point): number {
  return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
}

function rectangleAlong(hull: readonly Point[], axis: Point): Rectangle {
  const [dx, dy] = axis
  const along = hull.map(([x, y]) => x * dx + y * dy)
  const across = hull.map(([x, y]) => y * dx - x * dy)
  const [left, right] = [Math.min(...along), Math.max(...along)]
  const [top, bottom] = [Math.min(...across), Math.max(...across)]
  const [u, v] = [(left + right) / 2, (top + bottom) / 2]
  return {
    centre: [u * dx - v * dy, u * dy + v * dx],
    axis,
    width: right - left,
    height: bottom - top,
  }
}
