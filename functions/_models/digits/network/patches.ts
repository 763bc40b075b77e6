import type { Shape } from './layer.ts'

/**
 * The link between an image and its patches: for each place, the values that a filter sees there.
 *
 * As a matrix, patches have a row for each (channel, row, column) of a filter and a column for each place of
 * the image; what lies outside of the image is zero and stays as it is.
 */
export interface PatchMap {
  /** Values in one patch: the rows of the matrix. */
  readonly patchSize: number
  /** Patches in the image: the columns of the matrix. */
  readonly places: number
  /** Writes each image value into all patches that hold it. */
  gather(patches: Float64Array, image: Float64Array): void
  /** The reverse, as gradients flow: sets each image value to the sum of its copies in the patches. */
  scatter(image: Float64Array, patches: Float64Array): void
}

/** Values that lie side by side in the image and in the patch matrix alike. */
interface Run {
  readonly patchStart: number
  readonly imageStart: number
  readonly length: number
}

/**
 * Links an image to its patches of `side` x `side`, one around every place.
 *
 * @throws {TypeError} when `side` is even.
 */
export function createPatchMap(imageShape: Shape, side: number): PatchMap {
  if (side % 2 !== 1) throw new TypeError(`\`side\` must be odd, not ${side}.`)
  const [channels, height, width] = imageShape
  const runs = findRuns(imageShape, side)
  return {
    patchSize: channels * side * side,
    places: height * width,
    gather(patches, image) {
      for (const { patchStart, imageStart, length } of runs) {
        for (let offset = 0; offset < length; offset += 1) {
          patches[patchStart + offset] = image[imageStart + offset] as number
        }
      }
    },
    scatter(image, patches) {
      image.fill(0)
      for (const { patchStart, imageStart, length } of runs) {
        for (let offset = 0; offset < length; offset += 1) {
          const place = imageStart + offset
          image[place] = (image[place] as number) + (patches[patchStart + offset] as number)
        }
      }
    },
  }
}

/** For each value of a filter and each row of the image, the stretch of that row which the value meets. */
function findRuns([channels, height, width]: Shape, side: number): Run[] {
  const places = height * width
  const reach = (side - 1) / 2
  const runs: Run[] = []
  for (let row = 0; row < channels * side * side; row += 1) {
    const channel = Math.floor(row / (side * side))
    const down = (Math.floor(row / side) % side) - reach
    const across = (row % side) - reach
    const x = Math.max(0, -across)
    for (let y = Math.max(0, -down); y < Math.min(height, height - down); y += 1) {
      runs.push({
        patchStart: row * places + y * width + x,
        imageStart: channel * places + (y + down) * width + x + across,
        length: width - Math.abs(across),
      })
    }
  }
  return runs
}
