import { type LayerFactory, sizeOf } from './layer.ts'

/** A layer that lets what is above zero pass. */
export function rectifier(): LayerFactory {
  return (shape) => {
    const output = new Float64Array(sizeOf(shape))
    const inputGradient = new Float64Array(sizeOf(shape))
    return {
      operator: { type: 'Relu', attributes: {} },
      outputShape: shape,
      parameters: [],
      forward(input) {
        for (let index = 0; index < output.length; index += 1) {
          output[index] = Math.max(0, input[index] as number)
        }
        return output
      },
      backward(gradient) {
        for (let index = 0; index < output.length; index += 1) {
          inputGradient[index] = (output[index] as number) > 0 ? (gradient[index] as number) : 0
        }
        return inputGradient
      },
    }
  }
}
