import type { Random } from '../random.ts'
import { type Layer, type LayerFactory, type Parameter, type Shape, sizeOf } from './layer.ts'

/** Layers one behind the other; the last gives a number a class, the largest for the likeliest. */
export interface Network {
  readonly inputShape: Shape
  readonly classes: number
  readonly layers: readonly Layer[]
  readonly parameters: readonly Parameter[]
  /** The numbers of the classes for one sample; overwritten by the next call. */
  logits(input: Float64Array): Float64Array
  /** The likeliest class of one sample. */
  classify(input: Float64Array): number
  /** Adds the gradient of one sample's loss to the parameters'. Returns the loss: cross-entropy, in nats. */
  learn(input: Float64Array, label: number): number
}

/** Builds a network; the random numbers are for its first weights. */
export function createNetwork(
  inputShape: Shape,
  factories: readonly LayerFactory[],
  random: Random,
): Network {
  const layers: Layer[] = []
  let shape = inputShape
  for (const factory of factories) {
    const layer = factory(shape, random)
    layers.push(layer)
    shape = layer.outputShape
  }
  const logits = (input: Float64Array): Float64Array =>
    layers.reduce((values, layer) => layer.forward(values), input)

  return {
    inputShape,
    classes: sizeOf(shape),
    layers,
    parameters: layers.flatMap((layer) => layer.parameters),
    logits,
    classify: (input) => indexOfLargest(logits(input)),
    learn(input, label) {
      const probabilities = softmax(logits(input))
      const probability = probabilities[label] as number
      // By the logits, the gradient of cross-entropy is the probabilities less those of the right answer.
      probabilities[label] = probability - 1
      layers.reduceRight((gradient, layer) => layer.backward(gradient), probabilities)
      return -Math.log(probability)
    },
  }
}

/** Where the largest of the values is; the first of equals. */
export function indexOfLargest(values: ArrayLike<number>): number {
  let place = 0
  for (let index = 1; index < values.length; index += 1) {
    if ((values[index] as number) > (values[place] as number)) place = index
  }
  return place
}

function softmax(logits: Float64Array): Float64Array {
  const largest = Math.max(...logits)
  const powers = logits.map((logit) => Math.exp(logit - largest))
  const sum = powers.reduce((total, power) => total + power)
  return powers.map((power) => power / sum)
}
