import type { Random } from './random.ts'
import { imageSide } from './samples.ts'

// The most that a drawing changes, either way: radians, shares of 1, pixels.
const maxTurn = 0.2
const maxSlant = 0.2
const maxStretch = 0.12
const maxShift = 2

/** Draws the same digit as another hand might: turned, slanted, stretched and shifted a little. */
export function distort(pixels: readonly number[], random: Random): Float64Array {
  const turn = random.uniform(-maxTurn, maxTurn)
  const slant = random.uniform(-maxSlant, maxSlant)
  const stretchX = 1 + random.uniform(-maxStretch, maxStretch)
  const stretchY = 1 + random.uniform(-maxStretch, maxStretch)
  const shiftX = random.uniform(-maxShift, maxShift)
  const shiftY = random.uniform(-maxShift, maxShift)

  const centre = (imageSide - 1) / 2
  const sine = Math.sin(turn)
  const cosine = Math.cos(turn)
  const output = new Float64Array(pixels.length)
  for (let y = 0; y < imageSide; y += 1) {
    for (let x = 0; x < imageSide; x += 1) {
      const down = stretchY * (y - centre)
      const across = stretchX * (x - centre) + slant * down
      const sourceX = centre + cosine * across - sine * down + shiftX
      const sourceY = centre + sine * across + cosine * down + shiftY
      output[y * imageSide + x] = valueAt(pixels, sourceX, sourceY)
    }
  }
  return output
}

/** The value at a point between four pixels, each weighed by its nearness. */
function valueAt(pixels: readonly number[], x: number, y: number): number {
  const left = Math.floor(x)
  const top = Math.floor(y)
  const right = x - left
  const below = y - top
  const upper = (1 - right) * pixelAt(pixels, left, top) + right * pixelAt(pixels, left + 1, top)
  const lower = (1 - right) * pixelAt(pixels, left, top + 1) + right * pixelAt(pixels, left + 1, top + 1)
  return (1 - below) * upper + below * lower
}

/** The value of a pixel; paper lies all around the image. */
function pixelAt(pixels: readonly number[], x: number, y: number): number {
  const inside = x >= 0 && x < imageSide && y >= 0 && y < imageSide
  return inside ? (pixels[y * imageSide + x] as number) : 0
}
