import type { DeploymentConfig } from './deployment-config.ts'
import type { TokenIssuerConfig } from './token-issuer-config.ts'

/** Where a server may be told to compute a model's nodes. */
export type ServerProvider = 'cpu' | 'cuda' | 'tensorrt' | 'webgpu'

/** How much the log says: a level and everything above it. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** Which headers carry an access token to a Synapse backend: `auto` tries the newer, then the older. */
export type BackendHeaders = 'auto' | 'authorization' | 'access-token'

/**
 * The whole configuration of a project, resolved and checked. Frozen; every key is there.
 *
 * Each key may stand under `isoplex` in `package.json`, in the environment (`ISOPLEX_` and the key in upper
 * snake case; lists with commas) and among the flags; the later wins.
 */
export interface Config {
  /** Port to listen on; 0 takes a free one. An integer from 0 to 65535. @default 3000 */
  readonly port: number
  /** Address to listen on. A host name or an IP address. @default '127.0.0.1' */
  readonly host: string
  /** Folder of the function files, seen from the project. A path. @default 'functions' */
  readonly functionsDirectory: string
  /** Folder for bundles, models and the key, seen from the project. A path. @default '.isoplex' */
  readonly stateDirectory: string
  /**
   * Path that all routes begin with; `/` is none, unset leaves it to the plugin's identity. A path of plain
   * segments such as /digits/v1. @default null
   */
  readonly routePrefix: string | null
  /**
   * Function that answers the route prefix itself; unset, the index, else the only inference function. A function's name
   * such as ocr/detect. @default null
   */
  readonly entrypoint: string | null
  /**
   * Web origins whose pages may call. Origins such as https://example.com as a browser sends them, or *.
   * @default []
   */
  readonly corsOrigins: readonly string[]
  /**
   * Host names that a request may be addressed to besides the loopback ones, any port. Lower-case host names
   * without a port. @default []
   */
  readonly allowedHosts: readonly string[]

  /**
   * Replica processes of the default group; 0 answers system paths only. An integer from 0 to 256.
   * @default cores, at most 4
   */
  readonly replicas: number
  /** Models of one function that one replica holds at a time. An integer from 1 to 1024. @default 3 */
  readonly maxModelsPerReplica: number
  /** Runner threads that one replica holds at a time. An integer from 1 to 1024. @default 32 */
  readonly maxRunnersPerReplica: number
  /** Requests at a time in one runner of a function without a model. An integer from 1 to 65536. @default 64 */
  readonly maxOngoingRequests: number
  /** Requests that may wait in one queue. An integer from 1 to 1000000. @default 2048 */
  readonly maxQueuedRequests: number
  /**
   * Requests of one principal at a time, waiting and running, in all queues together. An integer from 1 to 1000000.
   * @default 4096
   */
  readonly maxRequestsPerPrincipal: number
  /**
   * Bytes of models that one replica holds at a time. An integer from 1 to 9007199254740991.
   * @default half of the memory, in equal parts
   */
  readonly maxModelBytesPerReplica: number
  /**
   * Bytes of models loaded for one principal, in all replicas together. An integer from 1 to 9007199254740991.
   * @default null
   */
  readonly maxModelBytesPerPrincipal: number | null
  /** Models that one replica loads at a time. An integer from 1 to 64. @default 2 */
  readonly maxParallelLoads: number
  /**
   * Memory of a replica beyond which a fresh one takes its place. An integer from 1 to 9007199254740991.
   * @default four fifths of the memory, in equal parts
   */
  readonly maxReplicaBytes: number
  /** Loads after which a fresh replica takes its place. An integer from 1 to 1000000. @default 250 */
  readonly maxReplicaLoads: number
  /**
   * Models to load at the start. Models such as digits@3, or function=model where several functions might use
   * one. @default []
   */
  readonly preloadModels: readonly string[]
  /**
   * Models to load at the start and never to unload. Models such as digits@3, or function=model where several
   * functions might use one. @default []
   */
  readonly pinnedModels: readonly string[]
  /** Idle time after which a runner is ended. An integer from 1 to 2147483647. @default 300000 */
  readonly runnerIdleMs: number
  /**
   * Environment variables that replicas may see besides the built-in list. Names of environment variables.
   * @default []
   */
  readonly environment: readonly string[]

  /**
   * Deployments besides each function's own, or in place of it: name, function, replicas, options and more. A list of
   * objects with name and function, as JSON in variables and flags. @default []
   */
  readonly deployments: readonly DeploymentConfig[]

  /** Time in which a request must be answered. An integer from 1 to 2147483647. @default 30000 */
  readonly requestTimeoutMs: number
  /** Time in which a request's body must arrive. An integer from 1 to 2147483647. @default 30000 */
  readonly uploadTimeoutMs: number
  /** Time in which a model must load. An integer from 1 to 2147483647. @default 120000 */
  readonly loadTimeoutMs: number
  /**
   * Time at a stop in which requests are still taken, with `Connection: close`. An integer from 0 to 2147483647.
   * @default 500
   */
  readonly shutdownGraceMs: number
  /** Time in which a stop must end, grace included. An integer from 1 to 2147483647. @default 30000 */
  readonly shutdownTimeoutMs: number

  /** Largest request body. An integer from 1 to 2147483647. @default 33554432 */
  readonly maxBodyBytes: number
  /** Most bytes of all bodies in flight together. An integer from 1 to 9007199254740991. @default 268435456 */
  readonly maxBodiesInFlightBytes: number
  /** Most bytes of a request's headers together. An integer from 16384 to 1048576. @default 131072 */
  readonly maxHeaderBytes: number

  /** Execution provider of models that name none. One of auto, cpu, cuda, tensorrt, webgpu. @default 'auto' */
  readonly provider: ServerProvider | 'auto'
  /** Provider to take where the wished one is not to be had. One of cpu, cuda, tensorrt, webgpu. @default null */
  readonly fallback: ServerProvider | null
  /** Threads of one operator; 0 shares the cores among the replicas. An integer from 0 to 256. @default 0 */
  readonly intraOpThreads: number

  /** Life of the tokens that this project makes. An integer from 1 to 31536000. @default 3600 */
  readonly tokenExpiresInSeconds: number
  /**
   * The `aud` that a token must name; while unset, a token must name none. A text of up to 256 characters.
   * @default null
   */
  readonly audience: string | null
  /**
   * Issuers of tokens trusted besides the project's own key. A list of objects, as JSON in variables and flags.
   * @default []
   */
  readonly tokenIssuers: readonly TokenIssuerConfig[]

  /** Where models come from. One of embedded, synapse. @default 'embedded' */
  readonly backend: 'embedded' | 'synapse'
  /**
   * URL of the Synapse backend; with the embedded one, the URL by which clients sign Synapse tokens for it. An
   * http or https URL. @default null
   */
  readonly backendUrl: string | null
  /**
   * Headers that carry an access token to the Synapse backend. One of auto, authorization, access-token.
   * @default 'auto'
   */
  readonly backendHeaders: BackendHeaders
  /** Time in which the Synapse backend must answer. An integer from 1 to 2147483647. @default 15000 */
  readonly backendTimeoutMs: number
  /**
   * Where model artifacts may come from besides the backend's own host. Host names for https, *.names, *, origins
   * such as http://10.0.0.7:9000, or s3://buckets. @default []
   */
  readonly artifactHosts: readonly string[]
  /** Largest model artifact. An integer from 1 to 9007199254740991. @default 17179869184 */
  readonly maxArtifactBytes: number
  /**
   * Bytes of downloaded and unpacked artifacts beyond which those unused longest are pruned. An integer from 1
   * to 9007199254740991. @default 107374182400
   */
  readonly maxStoreBytes: number
  /**
   * Where functions may fetch inputs from. Host names for https, *.names, *, or origins such as
   * http://10.0.0.7:9000. @default ['*']
   */
  readonly inputHosts: readonly string[]
  /**
   * Origin by which clients reach this server, for links to artifacts; while unset, the one that they asked. An
   * origin such as https://models.example.com. @default null
   */
  readonly publicUrl: string | null

  /** Jobs that run at a time, each in a process of its own; 0 runs none here. An integer from 0 to 256. @default 1 */
  readonly maxConcurrentJobs: number
  /** Jobs that may wait. An integer from 1 to 10000000. @default 100000 */
  readonly maxQueuedJobs: number
  /** Jobs of one principal that may wait or run. An integer from 1 to 10000000. @default 20000 */
  readonly maxJobsPerPrincipal: number
  /** Time in which a job must end, where its action names none. An integer from 1 to 2147483647. @default 86400000 */
  readonly jobTimeoutMs: number
  /** Time that a cancelled job has to notice before it is ended. An integer from 0 to 2147483647. @default 1000 */
  readonly jobCancelGraceMs: number
  /** Time in which the rollback of a job must end. An integer from 1 to 2147483647. @default 60000 */
  readonly jobRollbackTimeoutMs: number
  /**
   * Time after which a job whose server has gone is taken up by another. An integer from 1000 to 3600000.
   * @default 15000
   */
  readonly jobLeaseMs: number
  /**
   * Deaths of a job without a step or checkpoint in between, until it fails. An integer from 1 to 1000. @default 5
   */
  readonly maxJobAttempts: number
  /**
   * Bytes of files and result that one job may leave. An integer from 1 to 9007199254740991. @default 4294967296
   */
  readonly maxJobBytes: number
  /** Bytes of what one step or checkpoint of a job records. An integer from 1 to 1073741824. @default 4194304 */
  readonly maxJobRecordBytes: number
  /** Events that are kept of one job. An integer from 100 to 10000000. @default 10000 */
  readonly maxJobEvents: number
  /** Time after which an ended job is forgotten. An integer from 1 to 9007199254740991. @default 604800000 */
  readonly jobRetentionMs: number
  /**
   * Database of the jobs, which several servers may share; while unset, a file in the state folder. A URL such as
   * postgres://user:password@host/database. @default null
   */
  readonly jobStoreUrl: string | null
  /**
   * Where inputs, results and files of jobs are kept; while unset, beside the database of the jobs. A place such as
   * s3://bucket/prefix. @default null
   */
  readonly jobFilesUrl: string | null

  /**
   * Where `serve` and `node` take replicas for gateways of other machines; port 0 takes a free one. A host and a port
   * such as 10.0.0.7:7420. @default null
   */
  readonly nodeAddress: string | null
  /** Nodes that `gateway` has its replicas on. Hosts and ports such as 10.0.0.7:7420. @default [] */
  readonly nodes: readonly string[]
  /** The application there, by its name without the version; unset where there is only one. A name. @default null */
  readonly rayApplication: string | null
  /**
   * Where runners on nodes reach `gateway`; unset, the address by which it reaches their node, and any port. A host
   * and a port such as 10.0.0.1:7421. @default null
   */
  readonly runnerAddress: string | null
  /** File with the key that gateways and nodes share, at least 32 bytes. A path. @default null */
  readonly nodeKeyFile: string | null
  /** Certificate for the name `isoplex`, as PEM, by which both know each other. A path. @default null */
  readonly nodeCertificateFile: string | null
  /** The private key of that certificate, as PEM. A path. @default null */
  readonly nodeCertificateKeyFile: string | null
  /** Certificate, as PEM, of whoever signs those, and nothing else. A path. @default null */
  readonly nodeAuthorityFile: string | null

  /**
   * The Ray cluster that is deployed to; unset, the one of this machine. A dashboard's URL such as http://127.0.0.1:8265,
   * or a machine such as ray://host:10001. @default null
   */
  readonly rayAddress: string | null
  /**
   * File with the key that seals what jobs take along to a cluster; the same on each of its machines, seen from the
   * project. A path. @default null
   */
  readonly clusterKeyFile: string | null

  /** Who may read `/metrics`. One of admin, public. @default 'admin' */
  readonly metricsAccess: 'admin' | 'public'
  /** Whether `serve` has the page `/-/playground` too, as `dev` always does. True or false. @default false */
  readonly playground: boolean
  /** Lowest level that is logged. One of debug, info, warn, error. @default 'info' */
  readonly logLevel: LogLevel
}
