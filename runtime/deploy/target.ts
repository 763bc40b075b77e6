import type { PluginIdentity } from '../route/prefix.ts'

/** What a replica of a deployed application is given by the cluster. */
export interface DeployedResources {
  /** Cores of one replica. @default 1 */
  readonly cpus?: number
  /** GPUs of one replica, fractions too. @default 0 */
  readonly gpus?: number
  /** Memory of one replica, in bytes. @default what the cluster gives */
  readonly memoryBytes?: number
  /** Further resources by the cluster's own names. */
  readonly custom?: Readonly<Record<string, number>>
}

/** How many replicas an application has: a number, or bounds within which the cluster follows the load. */
export type DeployedReplicas =
  | number
  | {
      readonly min: number
      readonly max: number
      /** Requests at a time that one replica is to have. @default 2 */
      readonly targetOngoing?: number
    }

/** What is to be deployed. Plain data. */
export interface DeployOrder {
  /** What the plugin is called and where its routes begin. */
  readonly identity: PluginIdentity
  /** The application's name without its version, such as `digits@1.2.0`. */
  readonly name: string
  /** Tells this build from others of the same name: equal versions are equal bytes. */
  readonly version: string
  /** Path that the application's routes begin with. */
  readonly routePrefix: string
  /** The folder, or the URI of an archive, that every node of the cluster finds the self-contained build under. */
  readonly bundle: string
  readonly replicas: DeployedReplicas
  readonly resources: DeployedResources
  /** Requests at a time that one replica takes before the cluster holds further ones back. @default 100 */
  readonly maxOngoingRequests?: number
  /** Models that one replica holds at a time. @default 3 */
  readonly maxModelsPerReplica?: number
  /** Variables that the replicas see. Whoever may look at the cluster may read them: no secret belongs here. */
  readonly environment: Readonly<Record<string, string>>
  /** The runtime environment in the cluster's own words, such as packages for Python. @default none */
  readonly runtimeEnvironment?: Readonly<Record<string, unknown>>
}

/** The stages of a deployment, as progress tells them. */
export type DeployStage = 'initialize' | 'deploy' | 'register'

/** Hears how far a deployment is. */
export type DeployProgress = (current: number, total: number, stage: DeployStage, message: string) => void

/** What a cluster says of itself. */
export interface ClusterFacts {
  /** The version of the cluster's software, such as `2.58.0`. */
  readonly version: string
  /** What it has in all and what is free, by name: `cpus`, `gpus`, `memoryBytes`, and the cluster's own. */
  readonly resources: Readonly<Record<string, { readonly total: number; readonly free: number }>>
}

/** Where a deployed application stands. */
export type ApplicationState = 'starting' | 'running' | 'unhealthy' | 'failed' | 'leaving'

/** An application on the cluster. */
export interface DeployedApplication {
  /** Its name on the cluster, with its version. */
  readonly name: string
  /** The version of it, as the order had it. */
  readonly version: string
  readonly state: ApplicationState
  /** Where it answers; `null` while no request is routed to it. */
  readonly routePrefix: string | null
  /** What the cluster says of it, with the end of a failed replica's log. */
  readonly message: string
  /** What the cluster's own interface tells of it, for registration. */
  readonly data: Readonly<Record<string, unknown>>
}

/** A cluster that applications are deployed to. */
export interface DeploymentTarget {
  /**
   * Makes sure that the cluster is there and fit.
   *
   * @throws {IsoplexError} `CLUSTER_UNREACHABLE`, `CLUSTER_UNFIT` where its version is not one that is known to work.
   */
  connect(signal?: AbortSignal): Promise<ClusterFacts>
  /**
   * Brings a version up beside the one that serves, waits until it runs, gives it the route in one step, and lets the old
   * one finish what it has. One that does not come up is never routed, and the old one stays.
   *
   * @throws {IsoplexError} `DEPLOY_FAILED` with the end of the failed replica's log, `RESOURCES_MISSING` naming them,
   * `ROUTE_TAKEN`, `CLUSTER_UNREACHABLE`.
   */
  deploy(order: DeployOrder, progress: DeployProgress, signal?: AbortSignal): Promise<DeployedApplication>
  /** Gives the route back to the version before. @throws {IsoplexError} `DEPLOY_FAILED` where there is none any more. */
  rollback(name: string, signal?: AbortSignal): Promise<DeployedApplication>
  /** The applications that isoplex has put there: all, or those of a name. */
  list(name?: string, signal?: AbortSignal): Promise<readonly DeployedApplication[]>
  /** Takes a version off the cluster that has no route; one that has it, or is not there, stays as it is. */
  discard(name: string, version: string, signal?: AbortSignal): Promise<void>
  /** Takes an application off the cluster, with all of its versions. */
  remove(name: string, signal?: AbortSignal): Promise<void>
}
