import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

/** One handwritten digit and what it shows. */
export interface Sample {
  /** 784 grey values from 0 (paper) to 1 (ink): 28 rows of 28, from the top left. */
  readonly pixels: number[]
  /** What was written, 0 to 9. */
  readonly digit: number
}

/** Rows and columns of a sample's image. */
export const imageSide = 28

/** Values in a sample's image. */
export const imageSize: number = imageSide * imageSide

const sampleCount = 10_000
const heldOutCount = 2_000

const require = createRequire(import.meta.url)

/** The first 8,000 samples, in the order of {@link orderedSamples}: all that the trainer may see. */
export function trainingSamples(): Sample[] {
  return orderedSamples().slice(0, -heldOutCount)
}

/** The last 2,000 samples, in the order of {@link orderedSamples}: all that the model is judged by. */
export function heldOutSamples(): Sample[] {
  return orderedSamples().slice(-heldOutCount)
}

/**
 * The 10,000 digits of the package `mnist` in one fixed order, so that an index splits them.
 *
 * The package stores one file a digit, of 863 to 1,127 samples. Sample `i` of a file of `n` gets the place
 * `(2i + 1) / n`; all are sorted by place, and where places are equal by digit. So each file is spread evenly
 * over the whole, keeps its own order, and any stretch holds the ten digits in their shares of the whole.
 *
 * @throws {Error} when the package holds another number of samples, since the split would then be another.
 */
function orderedSamples(): Sample[] {
  const placed = Array.from({ length: 10 }, (_, digit) => {
    const images = readImages(digit)
    return images.map((pixels, index) => ({ pixels, digit, place: (2 * index + 1) / images.length }))
  }).flat()
  if (placed.length !== sampleCount) {
    throw new Error(
      `The package mnist holds ${placed.length} samples, not ${sampleCount}: install mnist 1.1.0.`,
    )
  }
  placed.sort((left, right) => left.place - right.place || left.digit - right.digit)
  return placed.map(({ pixels, digit }) => ({ pixels, digit }))
}

function readImages(digit: number): number[][] {
  const path = require.resolve(`mnist/src/digits/${digit}.json`)
  const { data }: { data: number[] } = JSON.parse(readFileSync(path, 'utf8'))
  return Array.from({ length: data.length / imageSize }, (_, index) =>
    data.slice(index * imageSize, (index + 1) * imageSize),
  )
}
