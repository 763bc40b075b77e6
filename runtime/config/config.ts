/** Where a server may be told to compute a model's nodes. */
export type ServerProvider = 'cpu' | 'cuda' | 'tensorrt' | 'webgpu'

/** How much the log says: a level and everything above it. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

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
   * Web origins whose pages may call. Origins such as https://example.com as a browser sends them, or *.
   * @default []
   */
  readonly corsOrigins: readonly string[]
  /**
   * Host names that a request may be addressed to besides the loopback ones, any port. Lower-case host names
   * without a port. @default []
   */
  readonly allowedHosts: readonly string[]

  /** Replica processes of the default group. An integer from 1 to 256. @default cores, at most 4 */
  readonly replicas: number
  /** Models of one function that one replica holds at a time. An integer from 1 to 1024. @default 3 */
  readonly maxModelsPerReplica: number
  /** Runner threads that one replica holds at a time. An integer from 1 to 1024. @default 32 */
  readonly maxRunnersPerReplica: number
  /** Requests at a time in one runner of a function without a model. An integer from 1 to 65536. @default 64 */
  readonly maxOngoingRequests: number
  /** Requests that may wait in one queue. An integer from 1 to 1000000. @default 1024 */
  readonly maxQueuedRequests: number
  /** Idle time after which a runner is ended. An integer from 1 to 2147483647. @default 300000 */
  readonly runnerIdleMs: number
  /**
   * Environment variables that replicas may see besides the built-in list. Names of environment variables.
   * @default []
   */
  readonly environment: readonly string[]

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
  /** Threads of one operator; 0 leaves it to the engine. An integer from 0 to 256. @default 0 */
  readonly intraOpThreads: number

  /** Life of the tokens that this project makes. An integer from 1 to 31536000. @default 3600 */
  readonly tokenExpiresInSeconds: number
  /**
   * The `aud` that a token must name; while unset, a token must name none. A text of up to 256 characters.
   * @default null
   */
  readonly audience: string | null
  /** Lowest level that is logged. One of debug, info, warn, error. @default 'info' */
  readonly logLevel: LogLevel
}
