import { setTimeout as pause } from 'node:timers/promises'
import { isIsoplexError } from '../../error/error.ts'

const leastPauseMs = 50
const longestPauseMs = 2_000

/**
 * Does what the store refuses while it is away, again and again until it is back: a job that runs outlives an outage.
 * What was done although nobody could say so any more is done twice.
 *
 * @throws what the work throws otherwise, and the reason of the signal.
 */
export async function withPatience<Result>(
  work: () => Promise<Result>,
  signal: AbortSignal,
): Promise<Result> {
  for (let pauseMs = leastPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    signal.throwIfAborted()
    try {
      return await work()
    } catch (error) {
      if (!isIsoplexError(error) || error.code !== 'JOB_STORE_UNAVAILABLE') throw error
    }
    await pause(pauseMs, undefined, { signal, ref: false }).catch(() => undefined)
  }
}
