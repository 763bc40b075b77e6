import type { Static, TSchema } from '@sinclair/typebox'
import type { OpenHandle } from './handle.ts'

/** Writes a line to the server's log, with the request's id beside it. Never put a secret in the fields. */
export interface FunctionLog {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void
  info(message: string, fields?: Readonly<Record<string, unknown>>): void
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void
  error(message: string, fields?: Readonly<Record<string, unknown>>): void
}

/** What a fetched input may be. */
export interface InputFetchOptions {
  /** The most bytes. @default 10485760 */
  readonly maxBytes?: number
  /** Time in which all of it must have come. @default 10000 */
  readonly timeoutMs?: number
  /** The media types taken, such as `['image/png']`; a final star takes the family: `image/*`. @default any */
  readonly mediaTypes?: readonly string[]
}

/** What a URL gave. */
export interface FetchedInput {
  readonly bytes: Uint8Array<ArrayBuffer>
  /**
   * The media type that the server says, without parameters, in lower case; `application/octet-stream` where it says
   * none. It is the server's word, and nothing has looked into the bytes.
   */
  readonly mediaType: string
  /** The URL that answered, after redirects. */
  readonly url: string
}

/** What differs from request to request. */
export interface RequestContext<Params = unknown, Query = unknown> {
  /** The id that the reply carries as `x-request-id` and the log beside every line. */
  readonly requestId: string
  /**
   * Who asks: `tenant:` and the tenant that the backend confirmed, else `access:` and a digest of the access token,
   * else `issuer:` and the name of the token's issuer; `anonymous` where no token is needed.
   */
  readonly principal: string
  /** The path parameters, checked against the schema. */
  readonly params: Params
  /** The query parameters, checked against the schema. */
  readonly query: Query
  /** Fires when the caller has gone or the deadline has passed. */
  readonly signal: AbortSignal
  readonly log: FunctionLog
  /**
   * Fetches what a caller gives by URL, such as an image. It asks only servers that `inputHosts` of the configuration
   * lets be asked, at every redirect, sends no credentials and ends with the request. A caller's URL must never be
   * given to `fetch`: that reaches whatever this server reaches.
   *
   * @throws {IsoplexError} `URL_REFUSED` where the URL may not be fetched, or what it gives is too large or of
   * another media type; `FETCH_FAILED` where the other server fails.
   * @throws {TypeError} where an option is outside its bounds.
   */
  fetchInput(url: string, options?: InputFetchOptions): Promise<FetchedInput>
  /**
   * Another function, which answers in the name of this request: by its principal, token and deadline. It is of the
   * request and not of a batch, since the requests of a batch may be of different principals.
   *
   * @throws {TypeError} where `fn` is nothing that can be called, or an option names what it does not have.
   */
  readonly handle: OpenHandle
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
  /**
   * The headers less those that carry credentials: `authorization`, `cookie`, the model token, and those by which
   * Synapse clients send access tokens.
   */
  readonly headers: Headers
  /** The body's bytes as they came; empty where there was none. */
  readonly body: Uint8Array<ArrayBuffer>
}

/** The static type of an optional schema: `undefined` where there is none. */
export type StaticOf<Schema extends TSchema | undefined> = Schema extends TSchema ? Static<Schema> : undefined

/** A value or the promise of one. */
export type Awaitable<Value> = Value | Promise<Value>
