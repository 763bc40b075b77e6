/** What a job of a cluster is started with. Whoever may look at the cluster can read all of it. */
export interface ClusterJobOrder {
  /** The command, for a shell. */
  readonly entrypoint: string
  /** Variables of its process. */
  readonly environment: Readonly<Record<string, string>>
  /** The URI of an archive that becomes the folder in which the command runs; `null` for any folder. */
  readonly workingDirectory: string | null
  /** What people are to know it by. */
  readonly metadata: Readonly<Record<string, string>>
  /** What the machine that it runs on must have free. */
  readonly resources: { readonly cpus?: number; readonly gpus?: number; readonly memoryBytes?: number }
}

/** Where a job of a cluster stands. */
export interface ClusterJobStatus {
  readonly state: 'pending' | 'running' | 'succeeded' | 'failed' | 'stopped'
  /** What the cluster says of it. */
  readonly message: string
}

/** A cluster that runs commands as jobs. */
export interface JobCluster {
  /** Starts a job, and gives its id. @throws {IsoplexError} `CLUSTER_UNREACHABLE`, `CLUSTER_UNFIT` where it refuses. */
  submit(order: ClusterJobOrder, signal?: AbortSignal): Promise<string>
  /** @throws {IsoplexError} `CLUSTER_UNREACHABLE`, `JOB_NOT_FOUND` */
  status(jobId: string, signal?: AbortSignal): Promise<ClusterJobStatus>
  /** Asks for the end of a job: its process gets SIGTERM. @throws {IsoplexError} as {@link status} */
  stop(jobId: string): Promise<void>
  /**
   * All that a job writes, from its beginning to its end, in pieces of any size. A connection that breaks off is made
   * again.
   *
   * @throws {IsoplexError} as {@link status}
   */
  logs(jobId: string, signal?: AbortSignal): AsyncIterable<string>
}
