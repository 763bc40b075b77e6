import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cutLine, cutLines, turned } from '../../functions/_ocr/cut.ts'
import { detectionInput, linesOf } from '../../functions/_ocr/detection.ts'
import { distance, type Picture, type Point, type Quadrilateral } from '../../functions/_ocr/picture.ts'
import { cornersOf, grown, smallestRectangle } from '../../functions/_ocr/rectangle.ts'
import { regionsOf } from '../../functions/_ocr/regions.ts'
import { resample } from '../../functions/_ocr/resample.ts'

const coordinate = fc.integer({ min: -500, max: 500 })
const points = fc.array(fc.tuple(coordinate, coordinate), { minLength: 1, maxLength: 30 })

/** A picture whose colours rise from left to right and from top to bottom. */
function slope(width: number, height: number): Picture {
  const pixels = new Uint8Array(3 * width * height)
  for (let at = 0; at < width * height; at += 1) {
    pixels.set([2 * (at % width), 3 * Math.floor(at / width), at % 7], 3 * at)
  }
  return { width, height, pixels }
}

/** A map of zeros with ones in a turned rectangle. */
function mapWith(box: { centre: Point; width: number; height: number; degrees: number }, size = 160) {
  const values = new Float32Array(size * size)
  const [dx, dy] = [Math.cos((box.degrees * Math.PI) / 180), Math.sin((box.degrees * Math.PI) / 180)]
  for (let at = 0; at < values.length; at += 1) {
    const [x, y] = [(at % size) - box.centre[0], Math.floor(at / size) - box.centre[1]]
    const isWithin = Math.abs(x * dx + y * dy) <= box.width / 2 && Math.abs(y * dx - x * dy) <= box.height / 2
    values[at] = isWithin ? 0.9 : 0
  }
  return { data: values, dims: [1, 1, size, size] }
}

describe('the smallest rectangle around points', () => {
  it('holds all of them, and is no larger than any other that is turned by whole degrees', () => {
    fc.assert(
      fc.property(points, (all) => {
        const rectangle = smallestRectangle(all)
        if (rectangle === null) throw new Error('none')
        const { centre, axis, width, height } = rectangle
        expect(Math.hypot(...axis)).toBeCloseTo(1, 9)
        for (const [x, y] of all) {
          const [u, v] = [x - centre[0], y - centre[1]]
          expect(Math.abs(u * axis[0] + v * axis[1])).toBeLessThanOrEqual(width / 2 + 1e-6)
          expect(Math.abs(v * axis[0] - u * axis[1])).toBeLessThanOrEqual(height / 2 + 1e-6)
        }
        for (let degrees = 0; degrees < 90; degrees += 1) {
          const [dx, dy] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)]
          const spread = (values: number[]): number => Math.max(...values) - Math.min(...values)
          const area =
            spread(all.map(([x, y]) => x * dx + y * dy)) * spread(all.map(([x, y]) => y * dx - x * dy))
          expect(width * height).toBeLessThanOrEqual(area + 1e-3)
        }
      }),
      { numRuns: 100 },
    )
  })

  it('has corners that go clockwise from the upper left one, apart by its sides', () => {
    const rectangle = smallestRectangle([
      [0, 0],
      [30, 10],
      [27, 19],
      [-3, 9],
    ])
    if (rectangle === null) throw new Error('none')
    const box = cornersOf(rectangle)
    const expected = [
      [-3, 9],
      [0, 0],
      [30, 10],
      [27, 19],
    ]
    expect(
      box
        .flat()
        .map((value) => Math.round(value))
        .sort(),
    ).toEqual(expected.flat().sort())
    const [a, b, c, d] = box
    expect([distance(a, b), distance(b, c)].map(Math.round)).toEqual([32, 9])
    const area = (b[0] - a[0]) * (d[1] - a[1]) - (b[1] - a[1]) * (d[0] - a[0])
    expect(area).toBeGreaterThan(0)
    expect(distance(a, b)).toBeCloseTo(distance(c, d), 6)
    const larger = cornersOf(grown(rectangle, 2))
    expect(distance(larger[0], a)).toBeCloseTo(Math.hypot(2, 2), 6)
  })

  it('is there for one point and for points in a line, and not for none', () => {
    expect(smallestRectangle([])).toBeNull()
    expect(smallestRectangle([[3, 4]])).toMatchObject({ centre: [3, 4], width: 0, height: 0 })
    const line: Point[] = [0, 1, 2, 3].map((at) => [at, at])
    const { width = 0, height = 0 } = smallestRectangle(line) ?? {}
    expect([width, height].sort((a, b) => a - b).map((side) => Number(side.toFixed(6)))).toEqual([
      0, 4.242641,
    ])
  })
})

describe('the regions of a map', () => {
  it('are apart where nothing touches, corners included, from the top', () => {
    const values = Float32Array.from([1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0])
    expect(regionsOf({ width: 4, height: 4, values }, 0.5, 10)).toEqual([
      [
        [0, 0],
        [0, 0],
        [1, 1],
        [1, 1],
      ],
      [
        [3, 0],
        [3, 0],
      ],
      [
        [0, 3],
        [0, 3],
      ],
    ])
    expect(regionsOf({ width: 4, height: 4, values }, 0.5, 2)).toHaveLength(2)
    expect(regionsOf({ width: 4, height: 4, values }, 1, 10)).toEqual([])
  })

  it('do not go round the edge of the map', () => {
    const values = Float32Array.from([0, 0, 1, 1, 0, 0])
    expect(regionsOf({ width: 3, height: 2, values }, 0.5, 10)).toHaveLength(2)
  })
})

describe('lines in what the detection model gives', () => {
  it.each([0, 5, -12, 30])('grow back to where the text ends, at %i degrees', (degrees) => {
    const [width, height] = [90, 10]
    const shares = mapWith({ centre: [80, 80], width, height, degrees })
    const [line, ...others] = linesOf(shares, { width: 320, height: 320 })
    expect(others).toEqual([])
    const [a, b, , d] = line?.box ?? ([[], [], [], []] as unknown as Quadrilateral)
    const growth = (1.5 * width * height) / (2 * (width + height))
    expect(Math.abs(distance(a, b) / 2 - (width + 2 * growth))).toBeLessThan(3)
    expect(Math.abs(distance(a, d) / 2 - (height + 2 * growth))).toBeLessThan(3)
    expect((Math.atan2(b[1] - a[1], b[0] - a[0]) * 180) / Math.PI).toBeCloseTo(degrees, -0.5)
    expect(line?.score).toBeGreaterThan(0.6)
  })

  it('are none where a region is small, faint, or nothing', () => {
    const size = { width: 160, height: 160 }
    expect(linesOf(mapWith({ centre: [80, 80], width: 40, height: 2, degrees: 0 }), size)).toEqual([])
    const faint = mapWith({ centre: [80, 80], width: 40, height: 10, degrees: 0 })
    expect(linesOf({ ...faint, data: faint.data.map((value) => value * 0.6) }, size)).toEqual([])
    expect(linesOf({ data: new Float32Array(1024), dims: [1, 1, 32, 32] }, size)).toEqual([])
  })

  it('stay within the picture', () => {
    const full = { data: new Float32Array(64 * 64).fill(1), dims: [1, 1, 64, 64] }
    expect(linesOf(full, { width: 100, height: 50 }).map(({ box }) => box)).toEqual([
      [
        [0, 0],
        [99, 0],
        [99, 49],
        [0, 49],
      ],
    ])
  })

  it('come from the top, and from the left in a row', () => {
    const maps = [
      mapWith({ centre: [120, 52], width: 50, height: 8, degrees: 0 }),
      mapWith({ centre: [40, 55], width: 50, height: 8, degrees: 0 }),
      mapWith({ centre: [80, 120], width: 50, height: 8, degrees: 0 }),
    ]
    const data = Float32Array.from(maps[0]?.data ?? [], (_, at) =>
      Math.max(...maps.map((map) => map.data[at] ?? 0)),
    )
    const lines = linesOf({ data, dims: [1, 1, 160, 160] }, { width: 160, height: 160 })
    expect(lines.map(({ box }) => Math.round((box[0][0] + box[1][0]) / 2 / 40))).toEqual([1, 3, 2])
  })
})

describe('what the detection model is fed', () => {
  it.each([
    [1, 1, [1, 3, 32, 32]],
    [640, 480, [1, 3, 480, 640]],
    [1920, 1080, [1, 3, 544, 960]],
    [30, 9_000, [1, 3, 960, 32]],
    [70, 90, [1, 3, 96, 64]],
  ])('is of multiples of 32 and at most 960 a side, for %i x %i', (width, height, dims) => {
    const { data, dims: given } = detectionInput({
      width,
      height,
      pixels: new Uint8Array(3 * width * height),
    })
    expect(given).toEqual(dims)
    expect(data).toHaveLength(dims.reduce((product, dim) => product * dim))
  })

  it('has blue first, less the mean and by the spread of what the model was trained on', () => {
    const pixels = new Uint8Array(3 * 32 * 32)
    for (let at = 0; at < pixels.length; at += 3) pixels.set([255, 51, 0], at)
    const { data } = detectionInput({ width: 32, height: 32, pixels })
    const first = [0, 1, 2].map((plane) => data[plane * 32 * 32] ?? 0)
    const expected = [(0 - 0.485) / 0.229, (0.2 - 0.456) / 0.224, (1 - 0.406) / 0.225]
    for (const [plane, value] of expected.entries()) expect(first[plane]).toBeCloseTo(value, 5)
  })
})

describe('a picture of another size', () => {
  it('has the same shades where it has the same size, and means where it has half', () => {
    const picture = slope(6, 4)
    const planesOf = (width: number, height: number) => {
      const planes = [0, 1, 2].map(() => new Float32Array(width * height)) as [
        Float32Array,
        Float32Array,
        Float32Array,
      ]
      resample(picture, width, height, { planes, stride: width, scales: [1, 1, 1], offsets: [0, 0, 0] })
      return planes
    }
    const [blue, green, red] = planesOf(6, 4)
    expect([...red]).toEqual(Array.from({ length: 24 }, (_, at) => picture.pixels[3 * at]))
    expect([...green]).toEqual(Array.from({ length: 24 }, (_, at) => picture.pixels[3 * at + 1]))
    expect([...blue]).toEqual(Array.from({ length: 24 }, (_, at) => picture.pixels[3 * at + 2]))
    expect([...planesOf(3, 2)[2]]).toEqual([1, 5, 9, 1, 5, 9])
    expect([...planesOf(3, 2)[1]]).toEqual([1.5, 1.5, 1.5, 7.5, 7.5, 7.5])
  })
})

describe('a line that is cut out', () => {
  const picture = slope(40, 30)
  const red = ({ pixels, width }: Picture, x: number, y: number): number =>
    pixels[3 * (y * width + x)] as number

  it('is what stands in an upright box', () => {
    const line = cutLine(picture, [
      [5, 6],
      [25, 6],
      [25, 16],
      [5, 16],
    ])
    expect([line.width, line.height]).toEqual([20, 10])
    expect(red(line, 0, 0)).toBe(10)
    expect(red(line, 19, 9)).toBe(48)
    expect(line.pixels[3 * 20 * 4 + 1]).toBe(30)
  })

  it.each([
    [1, 40_000],
    [1_000, 210],
    [1, Number.POSITIVE_INFINITY],
  ])('is refused where %i boxes of a side of %d hold too much', (count, side) => {
    const at = (x: number, y: number): Point => [x, y]
    const box: Quadrilateral = [at(0, 0), at(side, 0), at(side, side), at(0, side)]
    const boxes = Array.from({ length: count }, () => box)
    const cut = (): Picture[] => cutLines(picture, boxes)
    expect(cut).toThrow('The boxes hold more than 40 million pixels.')
  })

  it('is straightened where the box is turned', () => {
    const line = cutLine(picture, [
      [10, 5],
      [30, 10],
      [28, 18],
      [8, 13],
    ])
    expect([line.width, line.height]).toEqual([20, 8])
    // At (10, 4) of the line: half of the way along both sides.
    expect(Math.abs(red(line, 10, 4) - 2 * 19)).toBeLessThanOrEqual(1)
  })

  it('lies where the box is much higher than wide: its top becomes its left', () => {
    const line = cutLine(picture, [
      [4, 2],
      [10, 2],
      [10, 22],
      [4, 22],
    ])
    expect([line.width, line.height]).toEqual([20, 6])
    expect([red(line, 0, 5), red(line, 0, 0)]).toEqual([8, 18])
    expect(line.pixels[1]).toBe(6)
  })

  it('is turned by half, and back', () => {
    const head = turned(picture)
    expect(red(head, 0, 0)).toBe(red(picture, 39, 29))
    expect(turned(head)).toEqual(picture)
  })

  it('is of one pixel at least, whatever the box', () => {
    const corner = fc.tuple(fc.integer({ min: -50, max: 90 }), fc.integer({ min: -50, max: 90 }))
    fc.assert(
      fc.property(fc.tuple(corner, corner, corner, corner), (box) => {
        const { width, height, pixels } = cutLine(picture, box)
        expect(width * height).toBeGreaterThan(0)
        expect(pixels).toHaveLength(3 * width * height)
      }),
      { numRuns: 50 },
    )
  })
})
