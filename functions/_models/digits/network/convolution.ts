import { createBias, createWeights, type LayerFactory, type Operator, sizeOf } from './layer.ts'
import { addProduct, createMatrix, type Matrix, transpose } from './matrix.ts'
import { createPatchMap } from './patches.ts'

/** What a convolution looks for and how far it sees. */
export interface ConvolutionOptions {
  /** Channels of the output. */
  readonly filters: number
  /** Rows and columns of a filter; odd. Zeros around the input keep the output at its size. */
  readonly side: number
}

/**
 * A layer that slides filters over an image.
 *
 * With a filter as a row of weights and a patch of the image as a column, the layer is one product of two
 * matrices, and so is each of its gradients.
 *
 * @throws {TypeError} when it is built with an even `side`: no place is then in the middle of a filter.
 */
export function convolution({ filters, side }: ConvolutionOptions): LayerFactory {
  return (inputShape, random) => {
    const [channels, height, width] = inputShape
    const { patchSize, places, gather, scatter } = createPatchMap(inputShape, side)
    const weights = createWeights([filters, channels, side, side], random)
    const bias = createBias(filters)
    const filterRows = createMatrix(filters, patchSize, weights.values)
    const filterColumns = createMatrix(patchSize, filters)
    const filterGradient = createMatrix(filters, patchSize, weights.gradient)
    const patches = createMatrix(patchSize, places)
    const patchRows = createMatrix(places, patchSize)
    const patchGradient = createMatrix(patchSize, places)
    const output = createMatrix(filters, places)
    const inputGradient = new Float64Array(sizeOf(inputShape))

    return {
      operator: convolutionOperator(side),
      outputShape: [filters, height, width],
      parameters: [weights, bias],
      forward(input) {
        gather(patches.values, input)
        fillRows(output, bias.values)
        addProduct(output, filterRows, patches)
        return output.values
      },
      backward(gradient) {
        const outputGradient = createMatrix(filters, places, gradient)
        addRowSums(bias.gradient, outputGradient)
        transpose(patchRows, patches)
        addProduct(filterGradient, outputGradient, patchRows)
        transpose(filterColumns, filterRows)
        patchGradient.values.fill(0)
        addProduct(patchGradient, filterColumns, outputGradient)
        scatter(inputGradient, patchGradient.values)
        return inputGradient
      },
    }
  }
}

function convolutionOperator(side: number): Operator {
  const pad = (side - 1) / 2
  return {
    type: 'Conv',
    attributes: { kernel_shape: [side, side], strides: [1, 1], pads: [pad, pad, pad, pad] },
  }
}

function fillRows({ values, columns }: Matrix, rowValues: Float64Array): void {
  rowValues.forEach((value, row) => {
    values.fill(value, row * columns, (row + 1) * columns)
  })
}

function addRowSums(sums: Float64Array, { values, columns }: Matrix): void {
  for (let row = 0; row < sums.length; row += 1) {
    let sum = sums[row] as number
    for (let column = 0; column < columns; column += 1) sum += values[row * columns + column] as number
    sums[row] = sum
  }
}
