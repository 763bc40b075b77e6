import type { Random } from '../random.ts'

/** Channels, rows and columns of what flows between two layers, stored in that order. */
export type Shape = readonly [channels: number, height: number, width: number]

/** Numbers that training changes. */
export interface Parameter {
  readonly role: 'weights' | 'bias'
  /** The dimensions that ONNX gives them. */
  readonly dimensions: readonly number[]
  readonly values: Float64Array
  /** How the loss rises with each value, summed over the samples since it was last cleared. */
  readonly gradient: Float64Array
}

/** The ONNX operator that computes the same as a layer. */
export interface Operator {
  readonly type: 'Conv' | 'Relu' | 'MaxPool' | 'Flatten' | 'Gemm'
  readonly attributes: Readonly<Record<string, number | readonly number[]>>
}

/**
 * One stage of a network; takes one sample at a time.
 *
 * What `forward` and `backward` return belongs to the layer and is overwritten by their next call.
 * `backward` speaks of the latest `forward`.
 */
export interface Layer {
  readonly operator: Operator
  readonly outputShape: Shape
  /** The operator's inputs after the first, in its order. */
  readonly parameters: readonly Parameter[]
  forward(input: Float64Array): Float64Array
  /** Takes the loss's gradient by the output, adds to the parameters', returns that by the input. */
  backward(outputGradient: Float64Array): Float64Array
}

/** Makes a layer for an input of the given shape. */
export type LayerFactory = (inputShape: Shape, random: Random) => Layer

/** How many numbers a shape holds. */
export function sizeOf([channels, height, width]: Shape): number {
  return channels * height * width
}

/** Biases, which start at zero. */
export function createBias(count: number): Parameter {
  return {
    role: 'bias',
    dimensions: [count],
    values: new Float64Array(count),
    gradient: new Float64Array(count),
  }
}

/**
 * Weights, the first dimension being the outputs.
 *
 * Their start is normal with variance 2 / (inputs of one output), so that a signal neither fades nor grows
 * on its way through rectified layers (He et al. 2015).
 */
export function createWeights(dimensions: readonly [number, ...number[]], random: Random): Parameter {
  const [outputs, ...rest] = dimensions
  const inputs = rest.reduce((product, dimension) => product * dimension, 1)
  const deviation = Math.sqrt(2 / inputs)
  const values = Float64Array.from({ length: outputs * inputs }, () => deviation * random.normal())
  return { role: 'weights', dimensions, values, gradient: new Float64Array(values.length) }
}
