import { fileURLToPath } from 'node:url'
import { createRayServeTarget, type RayServeOptions } from '../../adapters/ray-serve/target.ts'
import type { DeploymentTarget } from '../deploy/target.ts'

/** What Ray's workers run of a build that stands alone, by its name in the folder. */
export const rayServeFiles: Readonly<Record<string, string>> = Object.freeze({
  'isoplex_shim.py': fileURLToPath(new URL('../../adapters/ray-serve/isoplex_shim.py', import.meta.url)),
})

/** Opens the deployment target of a Ray cluster. Nothing is asked before its first method is called. */
export function openRayServeTarget(options: RayServeOptions): DeploymentTarget {
  return createRayServeTarget(options)
}
