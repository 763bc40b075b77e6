import type { TObject, TSchema } from '@sinclair/typebox'

/** Where a function may run. */
export type Place = 'server' | 'browser'

/** An HTTP method that a function may answer. */
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** What every kind of function may say of itself. */
export interface FunctionOptions {
  /** The function's name in logs, clients and metrics. @default the file's path without its ending */
  readonly name?: string
  /** Another route than the file's place, written as a file path is: `/v1/[name]`. */
  readonly route?: string
  /** One or two sentences for the API's documentation. */
  readonly description?: string
  /** Whether a request must carry a model token. @default 'token' */
  readonly access?: 'token' | 'public'
  /** Where the function may run. @default ['server'] */
  readonly runs?: readonly Place[]
  /** Whether a request may run again where a replica died in mid-work. @default true */
  readonly idempotent?: boolean
  /** How long one request may take from arrival to the first byte of its reply, in milliseconds. */
  readonly timeoutMs?: number
  /** The largest body taken, in bytes. @default `maxBodyBytes` of the configuration */
  readonly maxBodyBytes?: number
  /** Requests that one runner works on side by side. @default `maxOngoingRequests` of the configuration */
  readonly maxOngoingRequests?: number
}

/** The schemas that check what comes in and what goes out. */
export interface FunctionSchemas<
  Params extends TObject | undefined,
  Query extends TObject | undefined,
  Input extends TSchema | undefined,
  Output extends TSchema | undefined,
> {
  /** The path parameters; their values arrive as text and are converted. */
  readonly params?: Params
  /** The query parameters; their values arrive as text and are converted. */
  readonly query?: Query
  /** The body. Without it the body is not read. */
  readonly input?: Input
  /** The result, or each item of a streamed result. Without it the result is not checked. */
  readonly output?: Output
}

/** How requests for one model are gathered into a batch. */
export interface BatchOptions {
  /** The most requests in one batch. */
  readonly maxSize: number
  /**
   * The longest that the first request of a batch waits for company behind a running batch, in milliseconds.
   * A free runner takes what waits at once, and a full batch leaves at once: an idle system adds no delay.
   */
  readonly maxDelayMs: number
}
