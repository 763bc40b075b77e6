import type { ErrorCode } from '../error/codes.ts'

/** Where a call may be answered: `auto` is the page where that is possible, else the server. */
export type Where = 'auto' | 'browser' | 'server'

/** What a call came to. */
export interface Answered<Output = unknown> {
  /** What the function returned. */
  readonly output: Output
  readonly ran: Ran
}

/** How a call was answered. Times are in milliseconds; of a stream they count until it began. */
export interface Ran {
  readonly where: 'browser' | 'server'
  /** The execution provider; `null` for functions without a model, and where a server does not say. */
  readonly provider: string | null
  /** The model that answered; `null` for functions without one, and where a server does not say. */
  readonly model: { readonly id: string; readonly version: string } | null
  /** The id under which a server's log has the request. */
  readonly requestId: string
  /** From the call to the answer, tries that failed and pauses included. */
  readonly tookMs: number
  /** How long the request waited for a runner; `null` where that is not said. */
  readonly queueMs: number | null
  /** How long the function took; `null` where that is not said. */
  readonly inferMs: number | null
  /** Why the page did not answer, where it was to: the server then did. */
  readonly fellBack: { readonly code: ErrorCode; readonly message: string } | null
  /** Why it ran there or on that provider, where that was not the first choice; a sentence for people. */
  readonly reason: string | null
}
