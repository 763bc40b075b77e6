import type { Point } from './picture.ts'

/** A map of numbers, row by row. */
export interface ShareMap {
  readonly width: number
  readonly height: number
  readonly values: Float32Array
}

/**
 * The regions of a map whose values are above a threshold and touch, corners included: of each, the first and the last
 * point of every row, which is all that its convex hull needs. At most `most` of them, from the top.
 */
export function regionsOf(map: ShareMap, threshold: number, most: number): Point[][] {
  const seen = new Uint8Array(map.values.length)
  const regions: Point[][] = []
  for (let start = 0; start < seen.length && regions.length < most; start += 1) {
    if (seen[start] === 0 && (map.values[start] as number) > threshold) {
      regions.push(endsOfRows(fill(map, threshold, start, seen), map.width))
    }
  }
  return regions
}

/** The places of one region, which are marked as seen. */
function fill(
  { width, height, values }: ShareMap,
  threshold: number,
  start: number,
  seen: Uint8Array,
): number[] {
  const region = [start]
  seen[start] = 1
  for (const at of region) {
    const x = at % width
    const y = (at - x) / width
    for (let row = Math.max(0, y - 1); row <= Math.min(height - 1, y + 1); row += 1) {
      for (let column = Math.max(0, x - 1); column <= Math.min(width - 1, x + 1); column += 1) {
        const near = row * width + column
        if (seen[near] === 1 || (values[near] as number) <= threshold) continue
        seen[near] = 1
        region.push(near)
      }
    }
  }
  return region
}

function endsOfRows(region: readonly number[], width: number): Point[] {
  const rows = new Map<number, [number, number]>()
  for (const at of region) {
    const x = at % width
    const y = (at - x) / width
    const ends = rows.get(y)
    if (ends === undefined) rows.set(y, [x, x])
    else if (x < ends[0]) ends[0] = x
    else if (x > ends[1]) ends[1] = x
  }
  return [...rows].flatMap(([y, [first, last]]): Point[] => [
    [first, y],
    [last, y],
  ])
}
