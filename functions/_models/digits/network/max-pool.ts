import { type LayerFactory, type Shape, sizeOf } from './layer.ts'

/**
 * A layer that keeps the largest of every 2 x 2 values, so that height and width halve.
 *
 * @throws {RangeError} when it is put behind an odd height or width.
 */
export function maxPool(): LayerFactory {
  return (inputShape) => {
    const [channels, height, width] = inputShape
    if (height % 2 !== 0 || width % 2 !== 0) throw new RangeError(`Cannot halve ${height} x ${width}.`)
    const outputShape: Shape = [channels, height / 2, width / 2]
    const output = new Float64Array(sizeOf(outputShape))
    const chosen = new Int32Array(output.length)
    const inputGradient = new Float64Array(sizeOf(inputShape))
    return {
      operator: {
        type: 'MaxPool',
        attributes: { kernel_shape: [2, 2], strides: [2, 2], pads: [0, 0, 0, 0] },
      },
      outputShape,
      parameters: [],
      forward(input) {
        for (let index = 0; index < output.length; index += 1) {
          const place = largestOfFour(input, cornerOf(index, width), width)
          chosen[index] = place
          output[index] = input[place] as number
        }
        return output
      },
      backward(gradient) {
        inputGradient.fill(0)
        for (let index = 0; index < output.length; index += 1) {
          inputGradient[chosen[index] as number] = gradient[index] as number
        }
        return inputGradient
      },
    }
  }
}

/** Where the four values behind an output begin; the rows of all channels lie one after the other. */
function cornerOf(index: number, width: number): number {
  const row = Math.floor(index / (width / 2))
  const column = index % (width / 2)
  return 2 * row * width + 2 * column
}

function largestOfFour(input: Float64Array, corner: number, width: number): number {
  let place = corner
  if ((input[corner + 1] as number) > (input[place] as number)) place = corner + 1
  if ((input[corner + width] as number) > (input[place] as number)) place = corner + width
  if ((input[corner + width + 1] as number) > (input[place] as number)) place = corner + width + 1
  return place
}
