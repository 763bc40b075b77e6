import type { DeploymentSettings } from '../config/deployment-config.ts'
import type { BatchOptions, Method, Place } from '../define/options.ts'
import type { GraphManifest } from './graph-manifest.ts'

/** A JSON Schema (draft 2020-12 as far as TypeBox makes it): for documents and forms, never for checking. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** All that the gateway knows of a function: data that the builder read off the function's definition. */
export interface FunctionManifest {
  /** The function's name, unique in the project: what logs, clients and metrics call it. */
  readonly name: string
  /** The source file, relative to the project, with forward slashes. */
  readonly file: string
  /** The route as an author writes it, without the prefix of the app: `/hello/[name]`, `/files/[...rest]`. */
  readonly route: string
  /** The route as the server registers it: `/hello/:name`, `/files/*`. */
  readonly path: string
  readonly kind: 'function' | 'inference' | 'action' | 'graph'
  readonly methods: readonly Method[]
  /** The bundle's file name; it contains the hash of its content, so another name means other code. */
  readonly bundle: string
  /** The function for browsers, where it runs there. */
  readonly browser?: {
    /** The file name of its bundle, with the hash of its content; packages are part of it. */
    readonly bundle: string
  }
  /** Every file of the project that went into the bundles, relative to the project. */
  readonly sources: readonly string[]
  readonly description?: string
  readonly access: 'token' | 'public'
  readonly runs: readonly Place[]
  readonly idempotent: boolean
  readonly timeoutMs?: number
  readonly maxBodyBytes?: number
  readonly maxOngoingRequests?: number
  readonly batch?: BatchOptions
  readonly model?: {
    /** The id of the model that answers where a request needs no token and brings none. */
    readonly default?: string
    readonly maxModelsPerReplica?: number
  }
  /** The names of the functions whose files it imports, so that it may call them; in the order of their files. */
  readonly calls?: readonly string[]
  /** What the function says of its own deployment. */
  readonly deployment?: DeploymentSettings
  /** What the server knows of the jobs of an action; none for functions. */
  readonly action?: ActionManifest
  /** What a graph is made of; none for other functions. */
  readonly graph?: GraphManifest
  /** The media types in which a body may come; empty where the function reads none. */
  readonly accepts: readonly string[]
  readonly params?: JsonSchema
  readonly query?: JsonSchema
  readonly input?: JsonSchema
  readonly output?: JsonSchema
}

/** A function as one of its deployments serves it. */
export interface DeployedFunction extends FunctionManifest {
  /** The function that answers, where this is a deployment of it under another name. */
  readonly deploymentOf?: string
}

/** What the server knows of the jobs of an action. Its parameters are the function's `input`, its result the `output`. */
export interface ActionManifest {
  readonly category: string | null
  /** How long one job may take in all, in milliseconds; `null` leaves it to the configuration. */
  readonly timeoutMs: number | null
  /** Models that it may use where no token is sent. */
  readonly models: readonly string[]
  /** The categories of its progress, or the steps, with their weights. */
  readonly weights: Readonly<Record<string, number>>
  /** The names of its steps in their order; empty for an action without. */
  readonly steps: readonly string[]
}

/** A function file that could not be built, and why. Its last good manifest keeps serving. */
export interface BrokenFunction {
  readonly file: string
  /** Where the mistake is, relative to the project; may be a helper that the file imports. */
  readonly place: { readonly file: string; readonly line: number | null; readonly column: number | null }
  readonly reason: string
  /** Whether an earlier bundle of the file is served meanwhile. */
  readonly served: boolean
}

/** What a build gives: frozen data, the same for the same sources. */
export interface Manifest {
  readonly functions: readonly DeployedFunction[]
  readonly broken: readonly BrokenFunction[]
}
