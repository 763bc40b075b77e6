import { isIsoplexError, type Job, type Jobs } from 'isoplex/client'
import { useEffect, useRef, useState } from 'preact/hooks'
import { type Failure, readFailure } from './failure.ts'
import { laterProgress } from './job-bars.ts'
import { settleMs, watchJob } from './job-watch.ts'

/** The jobs as they are listed. */
export interface JobListing {
  /** The newest first; `null` before they are known. */
  readonly jobs: readonly Job[] | null
  readonly failure: Failure | null
  /** Whether there are older ones. */
  readonly hasMore: boolean
  /** Lists older ones too. */
  more(): void
}

const pageSize = 50
/** New jobs, and those that are not followed, are looked for this often. */
const lookMs = 4_000
/** A browser has few connections to one server: no more jobs than these are followed at a time. */
const mostFollowed = 3

/** Lists jobs for as long as they are shown, and follows those that run. */
export function useJobList(jobs: Jobs): JobListing {
  const [listed, setListed] = useState<readonly Job[] | null>(null)
  const [failure, setFailure] = useState<Failure | null>(null)
  const [limit, setLimit] = useState(pageSize)
  const begun = useRef(false)
  useEffect(() => {
    const controller = new AbortController()
    const { signal } = controller
    const followed = new Set<string>()
    let timer: ReturnType<typeof setTimeout> | undefined
    const follow = (job: Job): void => {
      followed.add(job.id)
      jobs
        .get(job.id, { signal })
        .then((handle) =>
          watchJob(handle, signal, (watched) =>
            setListed((all) => all?.map((each) => (each.id === job.id ? watched.job : each)) ?? null),
          ),
        )
        .catch(() => undefined)
        .finally(() => followed.delete(job.id))
    }
    const look = async (): Promise<void> => {
      try {
        const fresh = await jobs.list({ limit, signal })
        setListed((all) =>
          fresh.map((job) =>
            laterJob(
              all?.find(({ id }) => id === job.id),
              job,
            ),
          ),
        )
        setFailure(null)
        const running = fresh.filter(({ id, state }) => state === 'running' && !followed.has(id))
        for (const job of running.slice(0, mostFollowed - followed.size)) follow(job)
      } catch (error) {
        if (signal.aborted) return
        setFailure(readFailure(error))
        // Who may not see jobs now may not in a moment either.
        if (!isIsoplexError(error) || !error.retryable) return
      }
      timer = setTimeout(look, lookMs)
    }
    timer = setTimeout(look, begun.current ? settleMs : 0)
    begun.current = true
    return () => {
      controller.abort()
      clearTimeout(timer)
    }
  }, [jobs, limit])
  return {
    jobs: listed,
    failure,
    hasMore: listed !== null && listed.length >= limit && limit < 1_000,
    more: () => setLimit((count) => Math.min(1_000, count + pageSize)),
  }
}

/** A job as it was listed, with progress that never falls behind what was shown. */
function laterJob(shown: Job | undefined, fresh: Job): Job {
  return shown === undefined ? fresh : { ...fresh, progress: laterProgress(shown.progress, fresh.progress) }
}
