import type { FunctionManifest } from '../build/manifest.ts'
import type { BatchOptions } from '../define/options.ts'

/** A function as the scheduler sees it: one version of its code, with its options settled. */
export interface Deployment {
  /** The function's name and its bundle: another id means other code. */
  readonly id: string
  readonly name: string
  /** The absolute path of the bundle. */
  readonly bundlePath: string
  /** How requests are gathered; a size of 1 where the function takes them one by one. */
  readonly batch: Required<BatchOptions>
  /** Batches that one runner works on side by side. */
  readonly concurrency: number
  /** Batches that may be on their way to a runner beside those it works on. */
  readonly ahead: number
  /** The most runners of this deployment in one replica: its models, or 1 where it has none. */
  readonly maxInReplica: number
  /** Whether a request may run again after a replica died with it. */
  readonly idempotent: boolean
  /** From arrival to the first byte of the reply. */
  readonly timeoutMs: number
}

/** What the configuration settles where a function says nothing. */
export interface DeploymentDefaults {
  readonly maxModelsPerReplica: number
  readonly maxOngoingRequests: number
  readonly requestTimeoutMs: number
}

/** The most bytes of bodies in one batch, where the function does not say. */
const defaultBatchBytes = 16 * 1024 * 1024

/** Requests that a graph with models works on side by side: while one computes, others read, wait and write. */
const graphsAtWork = 4

/** Settles the options of a function. `bundleDirectory` is where its bundle lies. */
export function toDeployment(
  fn: FunctionManifest,
  bundleDirectory: string,
  defaults: DeploymentDefaults,
): Deployment {
  const computes = fn.kind === 'inference'
  const holds = fn.model !== undefined || (fn.graph?.models.length ?? 0) > 0
  return Object.freeze({
    id: `${fn.name}@${fn.bundle}`,
    name: fn.name,
    bundlePath: `${bundleDirectory}/${fn.bundle}`,
    batch: Object.freeze({ maxBytes: defaultBatchBytes, ...(fn.batch ?? { maxSize: 1, maxDelayMs: 0 }) }),
    // A model computes one batch at a time; a function that waits for others can wait for many.
    concurrency: fn.maxOngoingRequests ?? (computes ? 1 : holds ? graphsAtWork : defaults.maxOngoingRequests),
    ahead: computes ? 1 : 0,
    maxInReplica: holds ? (fn.model?.maxModelsPerReplica ?? defaults.maxModelsPerReplica) : 1,
    idempotent: fn.idempotent,
    timeoutMs: fn.timeoutMs ?? defaults.requestTimeoutMs,
  })
}
