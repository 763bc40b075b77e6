import { createBias, createWeights, type LayerFactory, sizeOf } from './layer.ts'
import { addProduct, createMatrix } from './matrix.ts'

/** A layer in which each output weighs every input; comes after {@link flatten}. */
export function dense(outputs: number): LayerFactory {
  return (inputShape, random) => {
    const inputs = sizeOf(inputShape)
    const weights = createWeights([outputs, inputs], random)
    const bias = createBias(outputs)

    const weightRows = createMatrix(outputs, inputs, weights.values)
    const weightGradient = createMatrix(outputs, inputs, weights.gradient)
    const inputRow = createMatrix(1, inputs)
    const inputGradient = createMatrix(1, inputs)
    const output = createMatrix(outputs, 1)

    return {
      operator: { type: 'Gemm', attributes: { transB: 1 } },
      outputShape: [outputs, 1, 1],
      parameters: [weights, bias],
      forward(input) {
        inputRow.values.set(input)
        output.values.set(bias.values)
        addProduct(output, weightRows, createMatrix(inputs, 1, inputRow.values))
        return output.values
      },
      backward(gradient) {
        for (let index = 0; index < outputs; index += 1) {
          bias.gradient[index] = (bias.gradient[index] as number) + (gradient[index] as number)
        }
        addProduct(weightGradient, createMatrix(outputs, 1, gradient), inputRow)
        inputGradient.values.fill(0)
        addProduct(inputGradient, createMatrix(1, outputs, gradient), weightRows)
        return inputGradient.values
      },
    }
  }
}
