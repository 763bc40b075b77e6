import { setTimeout as delay } from 'node:timers/promises'
import { isIsoplexError } from '../../error/error.ts'

/** How long is waited between tries. */
export interface PatienceOptions {
  /** Fires when nothing is to be tried any more, with the reason. */
  readonly signal: AbortSignal
  /** The wait before the first further try, in milliseconds; it doubles each time. @default 200 */
  readonly firstDelayMs?: number
  /** The longest wait before a further try, in milliseconds. @default 5000 */
  readonly maxDelayMs?: number
}

/**
 * Does what the store cannot do while it is away or its disk is full, again and again until it can: a job that runs
 * outlives that. What was done although nobody could say so any more is done twice. Whatever else goes wrong is passed
 * on, and so is the reason of the signal.
 */
export async function withPatience<Value>(
  work: () => Promise<Value>,
  { signal, firstDelayMs = 200, maxDelayMs = 5_000 }: PatienceOptions,
): Promise<Value> {
  for (let delayMs = firstDelayMs; ; delayMs = Math.min(delayMs * 2, maxDelayMs)) {
    signal.throwIfAborted()
    try {
      return await work()
    } catch (error) {
      if (!isPassing(error)) throw error
      await delay(delayMs, undefined, { signal }).catch(() => signal.throwIfAborted())
    }
  }
}

function isPassing(error: unknown): boolean {
  return isIsoplexError(error) && (error.code === 'JOB_STORE_UNAVAILABLE' || error.code === 'STORAGE_FULL')
}
