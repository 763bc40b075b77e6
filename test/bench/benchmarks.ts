import { measureAuth } from './auth.ts'
import { measureChurn } from './churn.ts'
import { measureCompose } from './compose.ts'
import { measureCrash } from './crash.ts'
import { measureFair } from './fair.ts'
import type { Figure } from './figure.ts'
import { measureInference } from './inference.ts'
import { measureJobs } from './jobs.ts'
import { measureLoop } from './loop.ts'
import { measureMemory } from './memory.ts'
import { measureOverhead } from './overhead.ts'
import { measureRay } from './ray.ts'
import { measureRayScale } from './ray-scale.ts'
import { measureScale } from './scaling.ts'
import { measureTensor } from './tensor.ts'
import { measureWeb } from './web.ts'

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
  churn: measureChurn,
  fair: measureFair,
  crash: measureCrash,
  memory: measureMemory,
  scale: measureScale,
  jobs: measureJobs,
  compose: measureCompose,
  web: measureWeb,
  ray: measureRay,
  'ray-scale': measureRayScale,
}
