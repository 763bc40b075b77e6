/** A decoded picture: upright, opaque, red, green and blue in a byte each, row by row. */
export interface Picture {
  readonly width: number
  readonly height: number
  /** `3 * width * height` bytes. */
  readonly pixels: Uint8Array<ArrayBuffer>
}

/** The most pixels that are decoded, or cut out, at a time: three bytes each, they take 120 MB. */
export const mostPixels = 40_000_000

/** A place in a picture: pixels from its left and top edge. */
export type Point = [x: number, y: number]

/** Four corners, clockwise from what is the upper left one to whoever reads the text in it. */
export type Quadrilateral = [Point, Point, Point, Point]

/** How far two points lie apart. */
export function distance([x1, y1]: Point, [x2, y2]: Point): number {
  return Math.hypot(x2 - x1, y2 - y1)
}
