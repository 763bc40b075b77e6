import { isIsoplexError } from '../../error/error.ts'
import type { JobStore, Lease } from '../store.ts'

/** What a lease is kept with. */
export interface LeaseKeeperOptions {
  readonly store: Pick<JobStore, 'renew'>
  readonly lease: Lease
  readonly leaseMs: number
  /** Somebody has asked for the job's end. */
  cancelled(): void
  /** Somebody else goes on with the job, or it has ended. */
  lost(): void
  /** It could not be renewed: it is tried again soon, and may last that long. Told once, until it could be again. */
  failed(error: unknown): void
}

const retryMs = 500
/** That the job is to end is heard with each renewal: whoever has asked for it on another server waits no longer. */
const longestMs = 1_000

/** Renews a lease every third of its time, or every second where that is less, until it is disposed of or lost. */
export function keepLease(options: LeaseKeeperOptions): Disposable {
  const { store, lease, leaseMs, cancelled, lost, failed } = options
  const everyMs = Math.min(leaseMs / 3, longestMs)
  let timer: Timer
  let kept = true
  let failing = false
  const wait = (delayMs: number): void => {
    if (kept) timer = setTimeout(() => void renew(), delayMs)
  }
  const renew = async (): Promise<void> => {
    try {
      const { cancelRequested } = await store.renew(lease, leaseMs)
      failing = false
      if (cancelRequested && kept) cancelled()
      wait(everyMs)
    } catch (error) {
      if (!kept) return
      if (isIsoplexError(error) && error.code === 'LEASE_LOST') {
        lost()
        return
      }
      if (!failing) failed(error)
      failing = true
      wait(Math.min(retryMs, everyMs))
    }
  }
  wait(everyMs)
  return {
    [Symbol.dispose]: () => {
      kept = false
      clearTimeout(timer)
    },
  }
}
