import { fileURLToPath } from 'node:url'
import { createRayJobsClient } from '../../adapters/ray-serve/jobs-client.ts'
import { createRayServeTarget, type RayServeOptions } from '../../adapters/ray-serve/target.ts'
import type { JobCluster } from '../deploy/job-cluster.ts'
import type { DeploymentTarget } from '../deploy/target.ts'

/** What Ray's workers run of a build that stands alone, by its name in the folder. */
export const rayServeFiles: Readonly<Record<string, string>> = Object.freeze({
  'isoplex_shim.py': fileURLToPath(new URL('../../adapters/ray-serve/isoplex_shim.py', import.meta.url)),
})

/** Opens the deployment target of a Ray cluster. Nothing is asked before its first method is called. */
export function openRayServeTarget(options: RayServeOptions): DeploymentTarget {
  return createRayServeTarget(options)
}

/** Opens what runs jobs on a Ray cluster; `address` is that of its dashboard. */
export function openRayJobs(address: string): JobCluster {
  return createRayJobsClient(address)
}
