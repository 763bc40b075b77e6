import { IsoplexError } from '../../error/error.ts'
import { jobErrorOf } from '../job-error.ts'
import type { PendingEnd } from '../store.ts'

/** The end of a job that was cancelled. */
export function cancelledEnd(): PendingEnd {
  return endWith('cancelled', new IsoplexError('CANCELLED', 'The job was cancelled.'))
}

/** The end of a job that took too long. */
export function overdueEnd(timeoutMs: number): PendingEnd {
  const message = `The job did not end within the ${timeoutMs} ms that it may take.`
  return endWith('failed', new IsoplexError('DEADLINE_EXCEEDED', message))
}

/** The end of a job whose process has died again and again. */
export function crashedEnd(deaths: number): PendingEnd {
  const message = `The process of the job died ${deaths} times in a row without getting further; the server's log says how.`
  return endWith('failed', new IsoplexError('JOB_CRASHED', message))
}

/** The end of a job that cannot go on for this reason. What is not ours is hidden. */
export function failedEnd(error: unknown): PendingEnd {
  return endWith('failed', error)
}

function endWith(state: PendingEnd['state'], error: unknown): PendingEnd {
  return { state, error: jobErrorOf(error) }
}
