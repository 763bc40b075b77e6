/** How many replicas a deployment has by what it has to do. */
export interface AutoscaleConfig {
  /** The fewest; 0 ends the last one when nobody asks any more, and the next request waits until one has come up. */
  readonly min: number
  readonly max: number
  /** Requests, waiting and running, that one replica is to have on the average. @default 2 */
  readonly targetOngoing?: number
  /** The time over which requests are averaged. @default 10000 */
  readonly lookBackMs?: number
  /** How long more replicas must be wanted, without a break, before they are started. @default 5000 */
  readonly upscaleDelayMs?: number
  /** How long fewer replicas must be enough, without a break, before the others leave. @default 120000 */
  readonly downscaleDelayMs?: number
}

/** What the replicas of a deployment compute with. */
export interface DeploymentResources {
  /** Threads of one operator. @default `intraOpThreads` of the configuration */
  readonly intraOpThreads?: number
  /** Execution provider of models that name none. @default `provider` of the configuration */
  readonly provider?: 'auto' | 'cpu' | 'cuda' | 'tensorrt' | 'webgpu'
  /** The CUDA devices that its replicas see, as `CUDA_VISIBLE_DEVICES` has them. Needs `replicas`. @default all */
  readonly cudaDevices?: string
  /** Bytes of models that one of its replicas holds. Needs `replicas`. @default `maxModelBytesPerReplica` */
  readonly maxModelBytes?: number
}

/** What may be said of a deployment, in the configuration or by the function itself. */
export interface DeploymentSettings {
  /**
   * Replica processes of its own: a number, or bounds between which the load decides. @default it shares the replicas
   * of the default group
   */
  readonly replicas?: number | AutoscaleConfig
  /** Models that one replica holds of it. @default the function's, else `maxModelsPerReplica` of the configuration */
  readonly maxModelsPerReplica?: number
  /** Requests that one runner works on side by side. @default the function's, else `maxOngoingRequests` */
  readonly maxOngoingRequests?: number
  readonly resources?: DeploymentResources
  /**
   * The path at which it answers, with everything below it; the path parameters of its function stand below it.
   *
   * @default `/` and its name; for a function's own deployment the function's route
   */
  readonly routePrefix?: string
  /** Any JSON, which `setup` gets as `context.options`. @default an empty object */
  readonly options?: unknown
  /** From arrival to the first byte of the reply. @default the function's, else `requestTimeoutMs` */
  readonly timeoutMs?: number
  /** How requests are gathered, for a function that has `batch`. @default the function's */
  readonly batch?: { readonly maxSize: number; readonly maxDelayMs: number; readonly maxBytes?: number }
}

/** A deployment as the configuration names it. */
export interface DeploymentConfig extends DeploymentSettings {
  /** Unique among functions and deployments; a function's own name for the function's own deployment. */
  readonly name: string
  /** The name of the function that answers. */
  readonly function: string
}

/** Settings of a deployment that are to be changed while it is served; `null` gives replicas of its own up. */
export interface DeploymentChange extends Omit<DeploymentSettings, 'routePrefix' | 'replicas'> {
  readonly replicas?: DeploymentSettings['replicas'] | null
}
