import type { DeploymentChange, DeploymentSettings } from '../config/deployment-config.ts'

/**
 * How a deployment stands: `running` (as many replicas answer as are to), `scaling` (some come or go), `starting` (none
 * answers yet), `idle` (none is needed, and the next request starts one).
 */
export type DeploymentStatus = 'running' | 'scaling' | 'starting' | 'idle'

/** A deployment as an operator sees it. */
export interface DeploymentReport {
  readonly name: string
  /** The function that answers. */
  readonly function: string
  readonly kind: string
  /** The version of its code: the file name of the function's bundle, which contains the hash of its content. */
  readonly version: string
  readonly status: DeploymentStatus
  /** The path from the top of the server, with parameters in braces. */
  readonly route: string
  /** The group of replicas that it has to itself; `null` where it shares those of the default group. */
  readonly group: string | null
  /** Replicas that are to answer it, and those that do. */
  readonly replicas: { readonly target: number; readonly running: number }
  /** Requests in runners' hands. */
  readonly ongoing: number
  /** Requests that wait. */
  readonly queued: number
  /** What the configuration, its function and changes while the server runs say of it. */
  readonly settings: DeploymentSettings
}

/** What `GET /-/deployments` answers. */
export interface DeploymentList {
  /** Where the functions are called, from the server's own machine. */
  readonly url: string
  readonly deployments: readonly DeploymentReport[]
}

/** What an operator sees of deployments, and does to them. */
export interface DeploymentControl {
  list(): readonly DeploymentReport[]
  /** @throws {IsoplexError} `DEPLOYMENT_NOT_FOUND` */
  find(name: string): DeploymentReport
  /**
   * Changes settings of a deployment; what is not named stays. Its new runners come up, with the models that the old ones
   * hold, before these are left. Where they do not come up nothing is changed.
   *
   * @throws {IsoplexError} `DEPLOYMENT_NOT_FOUND`, `INPUT_INVALID` for settings that it cannot have, and whatever keeps
   * its runners from coming up.
   */
  redeploy(name: string, change: DeploymentChange): Promise<DeploymentReport>
}

/** Says how a deployment stands by its replicas. */
export function statusOf({ target, running }: DeploymentReport['replicas']): DeploymentStatus {
  if (target === 0) return running === 0 ? 'idle' : 'scaling'
  if (running === target) return 'running'
  return running === 0 ? 'starting' : 'scaling'
}
