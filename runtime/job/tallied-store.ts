import { isIsoplexError } from '../error/error.ts'
import type { Job } from './job.ts'
import type { JobTallies } from './job-tallies.ts'
import type { JobStore, Lease } from './store.ts'

/** A store that counts what this server does with jobs. */
export function tallyStore(store: JobStore, tallies: JobTallies): JobStore {
  /** The jobs that run here, by their ids, with the leases that they run by. */
  const running = new Map<string, { readonly job: Job; readonly fence: number }>()
  const end = ({ jobId, fence }: Lease): Job | null => {
    const entry = running.get(jobId)
    if (entry?.fence !== fence) return null
    running.delete(jobId)
    tallies.of(entry.job.function).running -= 1
    return entry.job
  }
  // Who has lost its lease does not run the job any more.
  const heard = hearLosses(store, end)
  return Object.freeze<JobStore>({
    ...heard,
    async submit(job, limits) {
      const submitted = await store.submit(job, limits)
      if (submitted.created) tallies.of(job.function).submitted += 1
      return submitted
    },
    async take(options) {
      const taken = await store.take(options)
      if (taken === null) return null
      const { job, lease } = taken
      end({ jobId: job.id, fence: running.get(job.id)?.fence ?? 0 })
      running.set(job.id, { job, fence: lease.fence })
      const tally = tallies.of(job.function)
      tally.running += 1
      if (job.attempt === 1) tally.queueSeconds.add(secondsFrom(job.createdMs, job.startedMs))
      return taken
    },
    async release(lease, how) {
      try {
        await store.release(lease, how)
      } finally {
        // Whoever gives it back works on it no more, whether that could be written or not.
        end(lease)
      }
    },
    async finish(lease, how) {
      await heard.finish(lease, how)
      const job = end(lease)
      if (job === null) return
      const tally = tallies.of(job.function)
      tally.ended.add(how.state)
      tally.runSeconds.add(secondsFrom(job.startedMs, Date.now()))
    },
  })
}

/** A store that says of which leases it has refused something, since they are lost. */
function hearLosses(store: JobStore, lost: (lease: Lease) => void): JobStore {
  const watched = async <Answer>(lease: Lease, asked: Promise<Answer>): Promise<Answer> => {
    try {
      return await asked
    } catch (error) {
      if (isIsoplexError(error) && error.code === 'LEASE_LOST') lost(lease)
      throw error
    }
  }
  return {
    ...store,
    renew: (lease, ...what) => watched(lease, store.renew(lease, ...what)),
    beginStep: (lease, ...what) => watched(lease, store.beginStep(lease, ...what)),
    recordStep: (lease, ...what) => watched(lease, store.recordStep(lease, ...what)),
    saveCheckpoint: (lease, ...what) => watched(lease, store.saveCheckpoint(lease, ...what)),
    beginRollback: (lease, ...what) => watched(lease, store.beginRollback(lease, ...what)),
    recordRollback: (lease, ...what) => watched(lease, store.recordRollback(lease, ...what)),
    keepFile: (lease, ...what) => watched(lease, store.keepFile(lease, ...what)),
    fetch: (lease, ...what) => watched(lease, store.fetch(lease, ...what)),
    report: (lease, ...what) => watched(lease, store.report(lease, ...what)),
    finish: (lease, ...what) => watched(lease, store.finish(lease, ...what)),
  }
}

/** The clocks of servers and databases may differ by a little. */
function secondsFrom(beginMs: number | null, endMs: number | null): number {
  return Math.max(0, (endMs ?? 0) - (beginMs ?? endMs ?? 0)) / 1_000
}
