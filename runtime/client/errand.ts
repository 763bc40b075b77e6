import type { Method } from '../define/options.ts'
import type { LocalProgress } from '../page/run.ts'
import type { EncodedBody } from '../runner/form-parts.ts'
import type { ReplyReading } from '../runner/reply-bytes.ts'
import { queryOf, type TextValues } from '../runner/url-text.ts'
import { fillPath } from './address.ts'
import type { Where } from './answered.ts'
import type { Deadline } from './deadline.ts'
import type { Fetch } from './http-transport.ts'
import type { LocalEngine } from './local-engine.ts'
import type { RouteBook } from './route-book.ts'
import type { TokenSource } from './token-source.ts'

/** What all calls of one client share. */
export interface ClientFacts {
  /** Absolute, without a slash at its end. */
  readonly baseUrl: string
  readonly fetch: Fetch
  readonly local: LocalEngine | null
  readonly tokens: TokenSource
  readonly routes: RouteBook
  readonly retries: number
  readonly timeoutMs: number | undefined
  readonly maxReplyBytes: number
}

/** How a call may be made, whatever the function. */
export interface CallOptions {
  /** @default 'auto' */
  readonly where?: Where | undefined
  /** Ends the call, and a stream that it gave. */
  readonly signal?: AbortSignal | undefined
  /** Hears how far the model is on its way into the page. */
  readonly onProgress?: ((progress: LocalProgress) => void) | undefined
  /**
   * How long the call may take, tries and pauses included; a stream, until it begins. In milliseconds.
   *
   * @default that of the client
   */
  readonly timeoutMs?: number | undefined
  /**
   * Calls with the same key get the same version of a model, where several versions share the calls.
   */
  readonly stickyKey?: string | undefined
  /** One of the function's methods, where it answers several. @default the first one that carries what is sent */
  readonly method?: Method | undefined
}

/** A call of any function, before the compiler's types. */
export interface AnyCall extends CallOptions {
  readonly input?: unknown
  readonly params?: TextValues | undefined
  readonly query?: TextValues | undefined
  readonly idempotencyKey?: string | undefined
}

/** How a job may be submitted. */
export interface SubmitOptions extends Pick<CallOptions, 'signal' | 'timeoutMs'> {
  /**
   * Submitting again with the same key and the same parameters gives the same job.
   *
   * @default a new one, so that trying again on the way makes no second job
   */
  readonly idempotencyKey?: string | undefined
}

/** One call on its way: encoded once, whoever answers it. */
export interface Errand extends ReplyReading {
  readonly client: ClientFacts
  readonly name: string
  readonly call: AnyCall
  readonly body: EncodedBody | null
  readonly deadline: Deadline
}

/**
 * Method, path and query of a call under a route.
 *
 * @throws {IsoplexError} `INPUT_INVALID` as {@link fillPath} has it.
 * @throws {TypeError} where the method wished for carries no input.
 */
export function targetOf(
  { call, body }: Errand,
  { path, methods }: { readonly path: string; readonly methods: readonly Method[] },
): { readonly method: Method; readonly url: string } {
  const { params = {}, query = {} } = call
  if (body && call.method === 'GET') {
    throw new TypeError('"method" is GET, which carries no "input"; leave one of them out.')
  }
  const fallback = body ? 'POST' : 'GET'
  const fitting = body ? methods.find((method) => method !== 'GET') : methods[0]
  return {
    method: call.method ?? fitting ?? fallback,
    url: fillPath(path, params) + queryOf(query),
  }
}
