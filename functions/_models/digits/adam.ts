import type { Parameter } from './network/layer.ts'

const firstDecay = 0.9
const secondDecay = 0.999
const stabiliser = 1e-8

/** Changes parameters by their gradients. */
export interface Optimizer {
  /**
   * Takes one step against the gradients and clears them.
   *
   * @param samples how many samples the gradients were summed over
   */
  step(learningRate: number, samples: number): void
}

/** The optimizer Adam (Kingma and Ba 2015): steps follow the mean gradient, scaled by its usual size. */
export function createAdam(parameters: readonly Parameter[]): Optimizer {
  const states = parameters.map(({ values, gradient }) => ({
    values,
    gradient,
    first: new Float64Array(values.length),
    second: new Float64Array(values.length),
  }))
  let steps = 0
  return {
    step(learningRate, samples) {
      steps += 1
      const firstCorrection = 1 - firstDecay ** steps
      const secondCorrection = 1 - secondDecay ** steps
      for (const { values, gradient, first, second } of states) {
        for (let i = 0; i < values.length; i += 1) {
          const slope = (gradient[i] as number) / samples
          const mean = firstDecay * (first[i] as number) + (1 - firstDecay) * slope
          const square = secondDecay * (second[i] as number) + (1 - secondDecay) * slope * slope
          first[i] = mean
          second[i] = square
          const scale = Math.sqrt(square / secondCorrection) + stabiliser
          values[i] = (values[i] as number) - (learningRate * mean) / (firstCorrection * scale)
        }
        gradient.fill(0)
      }
    },
  }
}
