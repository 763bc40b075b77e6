import { IsoplexError, isIsoplexError } from '../error/error.ts'
import { toWire } from '../error/wire.ts'
import type { JobError } from './job.ts'

const hiddenMessage = "Something went wrong in the job; the server's log has the cause under the job's id."

/**
 * An error as the one that a job ends with. What is not ours becomes `INTERNAL` and hides its text.
 *
 * @param step the step that failed, or was interrupted
 */
export function jobErrorOf(error: unknown, step: string | null = null): JobError {
  const told = isIsoplexError(error) ? error : new IsoplexError('INTERNAL', hiddenMessage)
  return { ...toWire(told), step, rollbackErrors: [] }
}
