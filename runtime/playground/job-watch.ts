import type { Job, JobEvent, JobHandle, JobProgress, Jobs } from 'isoplex/client'
import { useEffect, useRef, useState } from 'preact/hooks'
import { type Failure, isCancelled, readFailure } from './failure.ts'
import { laterProgress } from './job-bars.ts'
import { addLines, type JobLines, noLines } from './job-lines.ts'

/** A job as it is watched. */
export interface WatchedJob {
  readonly job: Job
  readonly lines: JobLines
}

/** Events are taken in together this often, lest a quick job keeps the page from showing it. */
const gatherMs = 60

/** Hears of a job until it has ended: at once, and then as it goes on. */
export async function watchJob(
  handle: JobHandle,
  signal: AbortSignal,
  hear: (watched: WatchedJob) => void,
): Promise<void> {
  let watched: WatchedJob = { job: handle.job, lines: noLines }
  let waiting: JobEvent[] = []
  let timer: ReturnType<typeof setTimeout> | null = null
  const tell = (job: Job, lines = watched.lines): void => {
    watched = { job: { ...job, progress: laterProgress(watched.job.progress, job.progress) }, lines }
    if (!signal.aborted) hear(watched)
  }
  const takeIn = (): void => {
    timer = null
    const events = waiting
    waiting = []
    tell(foldEvents(watched.job, events), addLines(watched.lines, events))
    // What has changed is told by the job itself: a step, a file, its state.
    if (events.some(({ kind }) => kind === 'state' || kind === 'step' || kind === 'file')) {
      refresh().catch(() => undefined)
    }
  }
  let asked = 0
  let answered = 0
  // A later answer may come before an earlier one.
  const refresh = async (): Promise<void> => {
    asked += 1
    const turn = asked
    const job = await handle.refresh({ signal })
    if (turn > answered) tell(job)
    answered = Math.max(answered, turn)
  }
  tell(handle.job)
  try {
    for await (const event of handle.events({ signal })) {
      waiting.push(event)
      timer ??= setTimeout(takeIn, gatherMs)
    }
    if (timer !== null) takeIn()
    await refresh()
  } finally {
    if (timer !== null) clearTimeout(timer)
  }
}

/** A job after some events, as far as they hold more than that something has changed. */
function foldEvents(job: Job, events: readonly JobEvent[]): Job {
  let { progress, metrics } = job
  for (const { kind, data } of events) {
    if (kind === 'progress') progress = laterProgress(progress, data as unknown as JobProgress)
    if (kind === 'metrics') {
      const category = String(data.category)
      metrics = { ...metrics, [category]: { ...metrics[category], ...(data.values as object) } }
    }
  }
  return { ...job, progress, metrics }
}

/** What is known of a job that a page shows. */
export interface JobView {
  readonly handle: JobHandle | null
  readonly watched: WatchedJob | null
  readonly failure: Failure | null
}

/** A token changes with each key that is pressed: jobs are asked for again when that is over. */
export const settleMs = 400

/** Watches a job for as long as it is shown. */
export function useJob(jobs: Jobs, id: string): JobView {
  const [view, setView] = useState<JobView>({ handle: null, watched: null, failure: null })
  const begun = useRef(false)
  useEffect(() => {
    const controller = new AbortController()
    const { signal } = controller
    const watch = async (): Promise<void> => {
      try {
        const handle = await jobs.get(id, { signal })
        await watchJob(handle, signal, (watched) => setView({ handle, watched, failure: null }))
      } catch (error) {
        if (!signal.aborted && !isCancelled(error))
          setView((known) => ({ ...known, failure: readFailure(error) }))
      }
    }
    const timer = setTimeout(watch, begun.current ? settleMs : 0)
    begun.current = true
    return () => {
      controller.abort()
      clearTimeout(timer)
    }
  }, [jobs, id])
  return view
}
