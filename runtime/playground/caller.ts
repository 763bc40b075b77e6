import { type Draft, urlOf } from './call.ts'
import type { CatalogFunction } from './catalog.ts'
import type { Place } from './latency.ts'

/** Where somebody wants a call to run. */
export type Where = 'auto' | Place

/** How far a model is on its way into the page. */
export interface Progress {
  readonly stage: 'download' | 'load' | 'verify'
  readonly model: string
  readonly doneBytes: number
  readonly totalBytes: number
}

/** What computed an answer. */
export interface Ran {
  readonly where: Place
  readonly provider: string | null
  readonly model: { readonly id: string; readonly version: string } | null
  readonly tookMs: number
  readonly queueMs: number | null
  readonly inferMs: number | null
  /** Why the page did not answer, where it was to: the server then did. */
  readonly fellBack: { readonly code: string; readonly message: string } | null
  /** Why it ran as it did, where that needs a word. */
  readonly reason: string | null
  readonly requestId: string | null
}

/** An answer, and what computed it. */
export interface Answer {
  readonly output: unknown
  readonly ran: Ran
}

/** How one call is made. */
export interface CallOptions {
  readonly where: Where
  readonly signal: AbortSignal
  readonly onProgress: (progress: Progress) => void
  /** Hears the items of an answer that is a stream: those that came since it was last told. */
  readonly onItems: (items: readonly unknown[]) => void
}

/** Calls functions of one server with one token. */
export interface Caller {
  /** Calls a function. @throws what the call fails with: an error with `code` and `message`. */
  call(fn: CatalogFunction, draft: Draft, options: CallOptions): Promise<Answer>
  /** Removes the models that were kept in this browser. */
  clear(): Promise<void>
  /** Ends what runs in this page. */
  close(): Promise<void>
}

/** Makes what calls functions. @param token the model token; empty for none */
export function createCaller(baseUrl: string, token: string): Caller {
  return {
    async call(fn, draft, { signal }) {
      const startedAt = performance.now()
      const reply = await fetch(baseUrl + urlOf(fn, draft), {
        method: fn.method,
        signal,
        headers: {
          'content-type': 'application/json',
          ...(token ? { authorization: `Bearer ${token}` } : {}),
        },
        ...(fn.schemas.input === null ? {} : { body: JSON.stringify(draft.input) }),
      })
      const output: unknown = await reply.json()
      if (!reply.ok) throw Object.assign(new Error('refused'), output)
      const timing = reply.headers.get('server-timing') ?? ''
      return {
        output,
        ran: {
          where: 'server',
          provider: null,
          model: null,
          tookMs: performance.now() - startedAt,
          queueMs: Number(/queue;dur=([\d.]+)/.exec(timing)?.[1] ?? 0),
          inferMs: Number(/infer;dur=([\d.]+)/.exec(timing)?.[1] ?? 0),
          fellBack: null,
          reason: null,
          requestId: reply.headers.get('x-request-id'),
        },
      }
    },
    async clear() {},
    async close() {},
  }
}
