import { IsoplexError, isIsoplexError } from '../../error/error.ts'
import { jobErrorOf } from '../job-error.ts'
import type { PendingEnd } from '../store.ts'

/** Why a job is to end without success: what it ends as, and the error with its causes, for the log. */
export interface Failure {
  readonly pendingEnd: PendingEnd
  readonly cause: Error
}

/** Whether another server goes on with the job: then nothing that this process does counts any more. */
export function isLeaseLost(error: unknown): boolean {
  return isIsoplexError(error) && error.code === 'LEASE_LOST'
}

/**
 * What of an error whoever submitted the job may read: the text of one of ours, and of any while developing; `null`
 * where it is hidden.
 */
export function shownText(error: unknown, strict: boolean): string | null {
  if (isIsoplexError(error)) return error.message
  if (!strict) return null
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}

/** The failure of a step. What it threw is the cause. */
export function stepFailure(step: string, text: string | null, cause?: unknown): Failure {
  const message =
    text === null
      ? `Step "${step}" failed; the server's log has the cause.`
      : `Step "${step}" failed: ${text}`
  const code = isIsoplexError(cause) ? cause.code : null
  const error = new IsoplexError('STEP_FAILED', message, { details: { step, cause: code }, cause })
  return {
    pendingEnd: { state: 'failed', error: jobErrorOf(error, step) },
    cause: error,
  }
}

/** The failure of a job by something that is no step's. */
export function jobFailure(error: unknown, strict: boolean): Failure {
  const text = shownText(error, strict)
  const hidden = jobErrorOf(error)
  const shown = text === null ? hidden : { ...hidden, message: text }
  const cause =
    error instanceof Error
      ? error
      : new Error('The action threw something that is no Error.', { cause: error })
  return { pendingEnd: { state: 'failed', error: shown }, cause }
}

/**
 * The end of a job that was cancelled, or whose time is over.
 *
 * @param signal one that has fired
 * @param step the step that was interrupted
 */
export function interruption(signal: AbortSignal, step: string | null): Failure {
  const reason: unknown = signal.reason
  const cause = isIsoplexError(reason) ? reason : new IsoplexError('CANCELLED', 'The job was cancelled.')
  const state = cause.code === 'CANCELLED' ? 'cancelled' : 'failed'
  return { pendingEnd: { state, error: jobErrorOf(cause, step) }, cause }
}
