import { measureAuth } from './auth.ts'
import type { Figure } from './figure.ts'
import { measureInference } from './inference.ts'
import { measureLoop } from './loop.ts'
import { measureOverhead } from './overhead.ts'
import { measureTensor } from './tensor.ts'

/** How much time a benchmark takes. */
export interface BenchmarkOptions {
  /** Whether it is only to be seen that all runs: one short round, whose figures mean little. */
  readonly quick: boolean
}

/** A benchmark gives its figures one by one, each as soon as it is there. */
export type Benchmark = (options: BenchmarkOptions) => AsyncIterable<Figure>

/** All benchmarks by name. */
export const benchmarks: Readonly<Record<string, Benchmark>> = {
  auth: measureAuth,
  overhead: measureOverhead,
  inference: measureInference,
  tensor: measureTensor,
  loop: measureLoop,
}
