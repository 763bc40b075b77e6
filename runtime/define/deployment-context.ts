import type { ActionContext } from './action-context.ts'
import type { ModelInfo } from './context.ts'
import type { ServeApplicationId } from './deployment-facts.ts'
import type { JsonRecord, StepContext } from './step.ts'

/** A cluster, as a deployment action sees it. */
export interface RayCluster {
  /** The version of its software, such as `2.58.0`. */
  readonly version: string
  /** What it has in all and what is free, by name, such as `cpus`. */
  readonly resources: Readonly<Record<string, { readonly total: number; readonly free: number }>>
}

/** An application that was deployed. */
export interface DeployedServe {
  /** Its name on the cluster, with its version. */
  readonly name: string
  readonly state: string
  /** Where it answers; `null` while nothing is routed to it. */
  readonly routePrefix: string | null
  /** What the cluster says of it. */
  readonly message: string
}

/** Which cluster a deployment action speaks to. */
export interface RayInitOptions {
  /** @default `rayAddress` of the configuration, or the variable `RAY_ADDRESS`; else `http://127.0.0.1:8265` */
  readonly address?: string
}

/** How many replicas are deployed: a number, or bounds within which the cluster follows the load. */
export type ServeReplicas =
  | number
  | { readonly min: number; readonly max: number; readonly targetOngoing?: number }

/** What a deployment may be told beside the fields of its context. */
export interface DeployOptions {
  /** @default the parameter `replicas`, else 1 */
  readonly replicas?: ServeReplicas
  /** Requests at a time in one replica. @default the parameter `max_ongoing_requests`, else 100 */
  readonly maxOngoingRequests?: number
  /** Models that one replica holds at a time. @default the parameter `max_models_per_replica`, else 3 */
  readonly maxModelsPerReplica?: number
  /**
   * Variables that the replicas see, beside those of the action. Whoever may look at the cluster can read them: no secret
   * belongs here.
   */
  readonly environment?: Readonly<Record<string, string>>
}

/** How an application is registered. */
export interface RegisterOptions {
  /** Whether a registration that fails is the job's failure. @default false: the result tells of it */
  readonly required?: boolean
  /** The number of the plugin's release at the backend, for those that ask for it. @default none */
  readonly pluginRelease?: number
}

/** What a deployment action does. */
export interface DeploymentMembers {
  /**
   * Makes sure that the cluster is there, and fit. What has not been called is called by `deploy`.
   *
   * @throws {IsoplexError} `CLUSTER_UNREACHABLE`, `CLUSTER_UNFIT`.
   */
  rayInit(options?: RayInitOptions): Promise<RayCluster>
  /**
   * Builds the plugin, brings it up beside the version that serves, and gives it the route once it runs; sets `deployed`.
   * A version that does not come up is never routed, and is taken away; so is one whose job is cancelled meanwhile.
   *
   * @throws {IsoplexError} `BUILD_FAILED`, `DEPLOY_FAILED` with the end of the failed replica's log, `RESOURCES_MISSING`,
   * `ROUTE_TAKEN`, and those of `rayInit`.
   */
  deploy(options?: DeployOptions): Promise<DeployedServe>
  /**
   * Undoes what this job has deployed: the version before gets the route again; where there was none, the application is
   * taken away. For the rollback of a step; it may be called again, and where nothing was deployed.
   */
  undeploy(): Promise<void>
  /**
   * Registers the application at the backend, by the right of whoever submitted the job; sets `serveAppId`, or
   * `registrationError` where it fails. `null` where it fails, and where there is no backend to register at.
   *
   * @throws {IsoplexError} with `required`, why it fails, such as `FETCH_FAILED` or `ACCESS_FORBIDDEN`.
   */
  registerServeApplication(options?: RegisterOptions): Promise<ServeApplicationId | null>
  /** What the plugin is deployed as: `SYNAPSE_PLUGIN_RELEASE_CODE`, else `code@version` of `config.yaml`. */
  getServeAppName(): string
  /** Where it answers: `/` and `SYNAPSE_PLUGIN_RELEASE_CHECKSUM`, else `/` and the MD5 of the name. */
  getRoutePrefix(): string
  /** The runtime environment, and the parameters `num_cpus`, `num_gpus` and `memory` that are there and not 0. */
  getRayActorOptions(): JsonRecord
  /** The packages of `requirements.txt`, in Ray's words. */
  getRuntimeEnv(): JsonRecord
}

/** What the steps of a deployment hand on to each other, beside what all steps do. Recorded with each step. */
export interface DeploymentFields {
  /** Where the cluster is, as `rayInit` was told or the configuration says; `null` for this machine. */
  rayAddress: string | null
  /** What the plugin is deployed as; may be set before `deploy`. */
  serveAppName: string
  /** What the backend calls the registered application; `null` while it is not registered. */
  serveAppId: ServeApplicationId | null
  /** Where the plugin is to answer; may be set before `deploy`. */
  routePrefix: string
  /** What Ray is told of each replica, in its own words; may be set before `deploy`. */
  rayActorOptions: JsonRecord
  /** Whether this job has deployed. */
  deployed: boolean
  /** Why the registration failed; `null` where it did not. */
  registrationError: string | null
}

/** The model that a deployment is about. */
export interface DeploymentModel {
  /** The parameter `modelId`, `model_id` or `model` at the start. */
  modelId: string | null
  model: ModelInfo | null
  modelPath: string | null
}

/** What a deployment action gets. */
export interface DeploymentContext<Params = unknown>
  extends ActionContext<Params>,
    DeploymentMembers,
    DeploymentFields,
    DeploymentModel {}

/** What a step of a deployment action gets. */
export interface DeploymentStepContext<Params = unknown>
  extends StepContext<Params>,
    DeploymentMembers,
    DeploymentFields {}
