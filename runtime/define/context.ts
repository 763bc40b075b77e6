import type { Static, TSchema } from '@sinclair/typebox'

/** Writes a line to the server's log, with the request's id beside it. Never put a secret in the fields. */
export interface FunctionLog {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void
  info(message: string, fields?: Readonly<Record<string, unknown>>): void
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void
  error(message: string, fields?: Readonly<Record<string, unknown>>): void
}

/** What differs from request to request. */
export interface RequestContext<Params = unknown, Query = unknown> {
  /** The id that the reply carries as `x-request-id` and the log beside every line. */
  readonly requestId: string
  /** Who asks: the tenant that the backend confirmed, else `default`; `anonymous` where no token is needed. */
  readonly principal: string
  /** The path parameters, checked against the schema. */
  readonly params: Params
  /** The query parameters, checked against the schema. */
  readonly query: Query
  /** Fires when the caller has gone or the deadline has passed. */
  readonly signal: AbortSignal
  readonly log: FunctionLog
}

/** What every request that a runner answers has in common. */
export interface RunnerContext<State> {
  /** What `setup` returned. */
  readonly state: State
}

/** A model's metadata as the backend gave it, with the place of its files on this machine. */
export interface ModelInfo {
  readonly id: string
  readonly version: string
  /** The folder of the unpacked artifact; it stays as it is while the model lives. */
  readonly path: string
  /** Whatever else the backend says of the model. */
  readonly [field: string]: unknown
}

/** The model that a request's token names, loaded. */
export interface ModelContext<Model> {
  readonly model: Model
  readonly modelId: string
  readonly modelInfo: ModelInfo
  /** The loaded model, for code written against `get_model()` of other servers; the same as `model`. */
  getModel(): Promise<Model>
}

/** A request as the client sent it, for functions that want more than its parsed input. */
export interface RawRequest {
  readonly method: string
  /** The path and query as requested, such as `/hello/ada?loud=1`. */
  readonly url: string
  /** The headers less those that carry credentials: `authorization`, `cookie`, and the model token. */
  readonly headers: Headers
  /** The body's bytes as they came; empty where there was none. */
  readonly body: Uint8Array<ArrayBuffer>
}

/** The static type of an optional schema: `undefined` where there is none. */
export type StaticOf<Schema extends TSchema | undefined> = Schema extends TSchema ? Static<Schema> : undefined

/** A value or the promise of one. */
export type Awaitable<Value> = Value | Promise<Value>
