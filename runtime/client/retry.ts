import type { AnyIsoplexError } from '../error/error.ts'
import { orAborted } from '../runner/abort-race.ts'
import type { Deadline } from './deadline.ts'

/** A failure, and how long the server asks to be left alone, in milliseconds. */
export interface Failure {
  readonly error: AnyIsoplexError
  readonly retryAfterMs: number | null
}

/** What one try came to. */
export type Outcome<Value> = { readonly value: Value } | Failure

/** How often a call may be tried. */
export interface RetryLimits {
  /** Tries after the first one. */
  readonly retries: number
  readonly deadline: Pick<Deadline, 'signal' | 'leftMs'>
}

const firstPauseMs = 200
const longestPauseMs = 10_000
// A server that asks for more is not worth a caller's wait.
const longestAskedPauseMs = 60_000

/**
 * Tries until something comes of it, the tries are used up, or the next one would come too late.
 *
 * @throws {IsoplexError} the error of the last try, whatever {@link Failure} it was
 */
export async function withRetries<Value>(
  attempt: () => Promise<Outcome<Value>>,
  { retries, deadline }: RetryLimits,
): Promise<Value> {
  for (let tried = 0; ; tried += 1) {
    const outcome = await attempt()
    if ('value' in outcome) return outcome.value
    const { error, retryAfterMs } = outcome
    if (tried >= retries || !mayHelp(error) || (retryAfterMs ?? 0) > longestAskedPauseMs) throw error
    const pauseMs = Math.max(pauseBefore(tried), retryAfterMs ?? 0)
    if (pauseMs >= deadline.leftMs()) throw error
    await pause(pauseMs, deadline.signal)
  }
}

/** Twice as long each time, less a random part of up to a half, so that many callers do not come back at once. */
export function pauseBefore(tried: number, random = Math.random()): number {
  return Math.min(firstPauseMs * 2 ** tried, longestPauseMs) * (1 - random / 2)
}

/** Whether another try may end otherwise: not where a reply came that makes no sense, or a refusal of who knows whom. */
export function mayHelp(error: AnyIsoplexError): boolean {
  if (error.code !== 'FETCH_FAILED') return error.retryable
  // A server that is not ours may leave the details out.
  const { reason, status = 0 }: Partial<typeof error.details> = error.details ?? {}
  return reason === 'connection' || reason === 'cut-off' || (reason === 'status' && status >= 500)
}

/** Waits for so long, or until the signal fires: then it fails with the reason of that. */
export function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  let timer: ReturnType<typeof setTimeout>
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, durationMs)
  })
  return orAborted(over, signal).finally(() => clearTimeout(timer))
}
