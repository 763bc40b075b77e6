import type { DeployOptions, ServeReplicas } from '../define/deployment-context.ts'

type Wishes = Pick<DeployOptions, 'replicas' | 'maxOngoingRequests' | 'maxModelsPerReplica'>

/**
 * What a deployment is asked for by the parameters of its job, under the names that `deploymentParams` has: `replicas`,
 * `max_ongoing_requests`, `max_models_per_replica`. Others count for nothing here.
 *
 * @throws {TypeError} quoting the parameter that is not what it must be.
 */
export function readDeploymentParams(params: unknown): Wishes {
  if (!isRecord(params)) return {}
  const { replicas, max_ongoing_requests: ongoing, max_models_per_replica: models } = params
  return {
    ...(isGiven(replicas) && { replicas: readReplicas(replicas) }),
    ...(isGiven(ongoing) && { maxOngoingRequests: readCount('max_ongoing_requests', ongoing) }),
    ...(isGiven(models) && { maxModelsPerReplica: readCount('max_models_per_replica', models) }),
  }
}

function readReplicas(replicas: unknown): ServeReplicas {
  if (!isRecord(replicas)) return readCount('replicas', replicas)
  const { min, max, target_ongoing: target } = replicas
  const bounds = { min: readCount('replicas.min', min), max: readCount('replicas.max', max) }
  if (bounds.min > bounds.max) throw new TypeError('"replicas.min" must not be above "replicas.max".')
  if (!isGiven(target)) return bounds
  if (typeof target !== 'number' || !(target > 0 && Number.isFinite(target))) {
    throw new TypeError(`"replicas.target_ongoing" must be a number above 0; got ${String(target)}.`)
  }
  return { ...bounds, targetOngoing: target }
}

function readCount(name: string, value: unknown): number {
  if (Number.isSafeInteger(value) && Number(value) >= 1) return Number(value)
  throw new TypeError(`"${name}" must be a whole number from 1; got ${JSON.stringify(value)}.`)
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
