import { createHash } from 'node:crypto'
import type { FunctionManifest } from '../build/manifest.ts'
import type { AutoscaleConfig, DeploymentResources, DeploymentSettings } from '../config/deployment-config.ts'
import type { BatchOptions } from '../define/options.ts'

/** Replicas that one deployment has to itself. */
export interface ReplicaGroup {
  /** Tells the groups of a server apart: another id means other processes. */
  readonly id: string
  /** How many replicas there are, or the bounds between which the load decides. */
  readonly replicas: number | AutoscaleConfig
  /** What its replicas have in place of what the configuration says. */
  readonly resources: Pick<DeploymentResources, 'cudaDevices' | 'maxModelBytes'>
}

/** A function as the scheduler sees it: one version of its code, with its options settled. */
export interface Deployment {
  /** The deployment's name, its bundle and its settings: another id means other runners. */
  readonly id: string
  /** What logs, metrics and clients call it; the function's name for the function's own deployment. */
  readonly name: string
  /** The function that answers. */
  readonly functionName: string
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
  /** The functions that it may call, by their names. */
  readonly calls: readonly string[]
  /** Those of them that never run beside it: their own deployments have replicas or options of their own. */
  readonly apart: readonly string[]
  /** From arrival to the first byte of the reply. */
  readonly timeoutMs: number
  /** What `setup` gets as `options`: any JSON. */
  readonly options: unknown
  /** What its sessions use in place of what the configuration says. */
  readonly session: Pick<DeploymentResources, 'intraOpThreads' | 'provider'>
  /** The replicas that it has to itself; `null` where it shares those of the default group. */
  readonly group: ReplicaGroup | null
}

/** What the configuration settles where a function says nothing. */
export interface DeploymentDefaults {
  readonly maxModelsPerReplica: number
  readonly maxOngoingRequests: number
  readonly requestTimeoutMs: number
}

/** As which deployment a function is deployed. */
export interface DeploymentPurpose {
  readonly name: string
  readonly settings: DeploymentSettings
  /** The functions that no other runs beside itself. @default none */
  readonly apart?: ReadonlySet<string>
}

/** The most bytes of bodies in one batch, where the function does not say. */
const defaultBatchBytes = 16 * 1024 * 1024

/** Requests that a graph with models works on side by side: while one computes, others read, wait and write. */
const graphsAtWork = 4

/**
 * Settles the options of a deployment. `bundleDirectory` is where the function's bundle lies.
 *
 * @param purpose what the deployment is called and says itself; by default the function's own
 */
export function toDeployment(
  fn: FunctionManifest,
  bundleDirectory: string,
  defaults: DeploymentDefaults,
  { name, settings, apart: distant = new Set() }: DeploymentPurpose = {
    name: fn.name,
    settings: fn.deployment ?? {},
  },
): Deployment {
  const computes = fn.kind === 'inference'
  const holds = fn.model !== undefined || (fn.graph?.models.length ?? 0) > 0
  const { intraOpThreads, provider } = settings.resources ?? {}
  const batch = (fn.batch && settings.batch) ?? fn.batch ?? { maxSize: 1, maxDelayMs: 0 }
  const group = groupOf(name, settings)
  const { calls = [] } = fn
  const apart = Object.freeze(calls.filter((called) => distant.has(called)))
  return Object.freeze({
    id: `${name}@${fn.bundle}${markOf({ settings, group, apart })}`,
    name,
    functionName: fn.name,
    bundlePath: `${bundleDirectory}/${fn.bundle}`,
    batch: Object.freeze({ maxBytes: defaultBatchBytes, ...batch }),
    // A model computes one batch at a time; a function that waits for others can wait for many.
    concurrency:
      settings.maxOngoingRequests ??
      fn.maxOngoingRequests ??
      (computes ? 1 : holds ? graphsAtWork : defaults.maxOngoingRequests),
    ahead: computes ? 1 : 0,
    maxInReplica: holds
      ? (settings.maxModelsPerReplica ?? fn.model?.maxModelsPerReplica ?? defaults.maxModelsPerReplica)
      : 1,
    idempotent: fn.idempotent,
    calls,
    apart,
    timeoutMs: settings.timeoutMs ?? fn.timeoutMs ?? defaults.requestTimeoutMs,
    options: settings.options ?? Object.freeze({}),
    session: Object.freeze({
      ...(intraOpThreads === undefined ? {} : { intraOpThreads }),
      ...(provider === undefined ? {} : { provider }),
    }),
    group,
  })
}

function groupOf(name: string, { replicas, resources = {} }: DeploymentSettings): ReplicaGroup | null {
  if (replicas === undefined) return null
  const { cudaDevices, maxModelBytes } = resources
  const own = {
    ...(cudaDevices === undefined ? {} : { cudaDevices }),
    ...(maxModelBytes === undefined ? {} : { maxModelBytes }),
  }
  const id = Object.keys(own).length === 0 ? name : `${name}~${digestOf(own)}`
  return Object.freeze({ id, replicas, resources: Object.freeze(own) })
}

/** What in an id stands for settings. How many replicas there are is no reason for other runners. */
function markOf({
  settings,
  group,
  apart,
}: Pick<Deployment, 'group' | 'apart'> & Pick<DeploymentPurpose, 'settings'>): string {
  const { replicas: _, routePrefix: __, ...rest } = settings
  if (group === null && apart.length + Object.keys(rest).length === 0) return ''
  return `~${digestOf([group?.id ?? null, rest, apart])}`
}

function digestOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 12)
}
