import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { centreDrawing, type Picture } from '../../runtime/playground/centring.ts'

const side = 28

/** A picture of a filled rectangle. */
function rectangle(size: number, left: number, top: number, width: number, height: number): Picture {
  const ink = Float32Array.from({ length: size * size }, (_, index) => {
    const [x, y] = [index % size, Math.floor(index / size)]
    return x >= left && x < left + width && y >= top && y < top + height ? 1 : 0
  })
  return { width: size, height: size, ink }
}

/** The box of what is not empty, and the centre of mass. */
function measure(pixels: readonly number[]) {
  const inked = pixels.flatMap((ink, index) =>
    ink > 0 ? [{ ink, x: index % side, y: Math.floor(index / side) }] : [],
  )
  const mass = inked.reduce((sum, { ink }) => sum + ink, 0)
  const spread = (values: readonly number[]): number => Math.max(...values) - Math.min(...values) + 1
  return {
    width: spread(inked.map(({ x }) => x)),
    height: spread(inked.map(({ y }) => y)),
    x: inked.reduce((sum, { ink, x }) => sum + ink * (x + 0.5), 0) / mass,
    y: inked.reduce((sum, { ink, y }) => sum + ink * (y + 0.5), 0) / mass,
  }
}

describe('centreDrawing', () => {
  it('leaves an empty sheet empty', () => {
    expect(centreDrawing(rectangle(50, 0, 0, 0, 0), side)).toEqual(new Array(side * side).fill(0))
  })

  it('fits what is drawn into a box of 20, keeps its shape, and puts its mass into the middle', () => {
    const { width, height, x, y } = measure(centreDrawing(rectangle(280, 10, 30, 50, 100), side))
    expect({ width, height }).toEqual({ width: 10, height: 20 })
    expect(Math.abs(x - 14)).toBeLessThanOrEqual(0.5)
    expect(Math.abs(y - 14)).toBeLessThanOrEqual(0.5)
  })

  it('gives the same wherever and however large something is drawn', () => {
    const place = fc.integer({ min: 0, max: 40 })
    fc.assert(
      fc.property(place, place, fc.integer({ min: 1, max: 6 }), (left, top, scale) => {
        const drawn = centreDrawing(rectangle(280, left, top, 20 * scale, 40 * scale), side)
        expect(drawn).toEqual(centreDrawing(rectangle(280, 0, 0, 20, 40), side))
      }),
    )
  })

  it('gives shades from 0 to 1 of what lies between pixels, and keeps the ink that there is', () => {
    const picture = rectangle(97, 3, 5, 61, 83)
    const pixels = centreDrawing(picture, side)
    expect(Math.min(...pixels)).toBe(0)
    expect(Math.max(...pixels)).toBe(1)
    expect(measure(pixels)).toMatchObject({ width: 15, height: 20 })
  })

  it('centres what leans to one side by its mass, and cuts off what would stand outside', () => {
    const heavy = rectangle(280, 0, 0, 40, 40)
    const thin = rectangle(280, 0, 0, 280, 2)
    const both = { ...heavy, ink: Float32Array.from(heavy.ink, (ink, index) => ink + (thin.ink[index] ?? 0)) }
    const pixels = centreDrawing(both, side)
    expect(pixels).toHaveLength(side * side)
    expect(pixels.every((ink) => ink >= 0 && ink <= 1)).toBe(true)
  })

  it.each([[28], [16], [100]])('fills a square of %i', (length) => {
    expect(centreDrawing(rectangle(50, 1, 1, 9, 9), length)).toHaveLength(length * length)
  })

  it('draws a single dot', () => {
    expect(Math.max(...centreDrawing(rectangle(280, 100, 100, 1, 1), side))).toBe(1)
  })
})
