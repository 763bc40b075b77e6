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
  /** It could not be renewed: it is tried again soon, and may last that long. */
  failed(error: unknown): void
}

const retryMs = 500

/** Renews a lease every third of its time, until it is disposed of or lost. */
export function keepLease(options: LeaseKeeperOptions): Disposable {
  const { store, lease, leaseMs, cancelled, lost, failed } = options
  let timer: Timer
  let kept = true
  const wait = (delayMs: number): void => {
    if (kept) timer = setTimeout(() => void renew(), delayMs)
  }
  const renew = async (): Promise<void> => {
    try {
      const { cancelRequested } = await store.renew(lease, leaseMs)
      if (cancelRequested && kept) cancelled()
      wait(leaseMs / 3)
    } catch (error) {
      if (!kept) return
      if (isIsoplexError(error) && error.code === 'LEASE_LOST') {
        lost()
        return
      }
      failed(error)
      wait(Math.min(retryMs, leaseMs / 3))
    }
  }
  wait(leaseMs / 3)
  return {
    [Symbol.dispose]: () => {
      kept = false
      clearTimeout(timer)
    },
  }
}
