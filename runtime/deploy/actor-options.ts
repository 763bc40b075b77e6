import type { RuntimeEnv } from './runtime-env.ts'
import type { DeployedResources } from './target.ts'

/** What Ray is told of each replica, in its own words. */
export type RayActorOptions = Readonly<Record<string, unknown>>

const resourceParams = ['num_cpus', 'num_gpus', 'memory'] as const

/**
 * What Ray is told of each replica, as `get_ray_actor_options` of the Synapse SDK makes it: the runtime environment, and
 * `num_cpus`, `num_gpus` and `memory` of the parameters where they are there and not 0.
 */
export function getRayActorOptions(params: unknown, runtimeEnv: RuntimeEnv): RayActorOptions {
  const given = isRecord(params) ? params : {}
  const named = resourceParams.filter((name) => Boolean(given[name]))
  return { runtime_env: runtimeEnv, ...Object.fromEntries(named.map((name) => [name, given[name]])) }
}

/**
 * The resources that such options name, in our words.
 *
 * @throws {TypeError} quoting the option that is no number from 0, or no object.
 */
export function toDeployedResources(options: RayActorOptions): DeployedResources {
  const { num_cpus: cpus, num_gpus: gpus, memory: memoryBytes, resources: custom } = options
  return {
    ...numberAs('cpus', 'num_cpus', cpus),
    ...numberAs('gpus', 'num_gpus', gpus),
    ...numberAs('memoryBytes', 'memory', memoryBytes),
    ...(custom === undefined ? {} : { custom: assertNumbers(custom) }),
  }
}

function numberAs(key: string, name: string, value: unknown): Readonly<Record<string, number>> {
  return value === undefined || value === null ? {} : { [key]: assertNumber(name, value) }
}

function assertNumbers(custom: unknown): Readonly<Record<string, number>> {
  if (!isRecord(custom)) throw new TypeError('"resources" of the Ray actor options must be an object.')
  const entries = Object.entries(custom)
  return Object.fromEntries(entries.map(([name, value]) => [name, assertNumber(`resources.${name}`, value)]))
}

function assertNumber(name: string, value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value
  throw new TypeError(`"${name}" of the Ray actor options must be a number from 0; got ${String(value)}.`)
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
