import type { TObject, TSchema } from '@sinclair/typebox'
import type { DeploymentSettings } from '../config/deployment-config.ts'

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
  /**
   * How it is deployed under its own name, where the configuration's `deployments` have no entry of that name.
   *
   * @default it shares the default group of replicas
   */
  readonly deployment?: DeploymentSettings
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
  /**
   * The most requests in one batch; the most rows, where `input` is a `tensorOf(type, ['batch', …])` or an object
   * with such tensors as fields: then a request counts as many as it brings, and no call of `infer` gets more. A
   * request that brings more by itself is cut into several calls where `output` is a `tensorOf(type, ['batch', …])`
   * too, whose rows are joined again; else it is a call of its own.
   */
  readonly maxSize: number
  /**
   * The longest that the first request of a batch waits for company behind a running batch, in milliseconds.
   * A free runner takes what waits at once, and a full batch leaves at once: an idle system adds no delay.
   */
  readonly maxDelayMs: number
  /** The most bytes of request bodies in one batch; a single body may be larger. @default 16777216 (16 MiB) */
  readonly maxBytes?: number
}

/** The longest time that a timer can measure; a longer one would end at once. */
const longestMs = 2 ** 31 - 1

/** Refuses options that are outside their bounds, which no compiler sees. @throws {TypeError} */
export function assertOptions(
  options: FunctionOptions & { readonly batch?: BatchOptions | undefined },
): void {
  const { timeoutMs, maxBodyBytes, maxOngoingRequests, batch } = options
  if (maxBodyBytes !== undefined) assertCount('maxBodyBytes', maxBodyBytes)
  if (maxOngoingRequests !== undefined) assertCount('maxOngoingRequests', maxOngoingRequests)
  if (timeoutMs !== undefined) assertTimeout('timeoutMs', timeoutMs)
  if (!batch) return
  assertCount('batch.maxSize', batch.maxSize)
  if (batch.maxBytes !== undefined) assertCount('batch.maxBytes', batch.maxBytes)
  if (!isTime(batch.maxDelayMs)) {
    throw new TypeError(`"batch.maxDelayMs" must be from 0 to ${longestMs}; got ${batch.maxDelayMs}.`)
  }
}

/** Refuses what is no time that a timer can measure, in milliseconds. @throws {TypeError} */
export function assertTimeout(name: string, value: number): void {
  if (isTime(value) && value > 0) return
  throw new TypeError(`"${name}" must be above 0 and at most ${longestMs}; got ${value}.`)
}

/** Refuses what is not a whole number from 1. @throws {TypeError} */
export function assertCount(name: string, value: number): void {
  if (Number.isSafeInteger(value) && value > 0) return
  throw new TypeError(`"${name}" must be a whole number from 1; got ${value}.`)
}

/** Refuses what is not a function where one must stand. @throws {TypeError} */
export function assertCallable(name: string, value: unknown): void {
  if (typeof value !== 'function') throw new TypeError(`"${name}" must be a function; got ${typeof value}.`)
}

function isTime(value: number): boolean {
  return typeof value === 'number' && value >= 0 && value <= longestMs
}
