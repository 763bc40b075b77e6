import type { Job, JobError, JobProgress, JobResultFacts } from '../job.ts'
import { highestUnfinished, isEnded } from '../job.ts'
import type { JobEnd, Lease, Viewer } from '../store.ts'
import {
  applyChange,
  changeLeased,
  type HeldJob,
  holdJob,
  type JobChange,
  progressEvent,
  stateEvent,
} from './job-change.ts'
import { keepContent } from './job-contents.ts'
import { isJobId } from './job-id.ts'
import { type JobRow, progressOf } from './job-row.ts'
import { assertSeen, jobNotFound, readJobWithin } from './job-view.ts'
import type { JobStoreParts } from './store-parts.ts'

/** As `JobStore.finish`. */
export async function finishJob(parts: JobStoreParts, lease: Lease, end: JobEnd): Promise<void> {
  await recordEnd(parts, lease, end)
  parts.room.leave()
}

function recordEnd(parts: JobStoreParts, lease: Lease, end: JobEnd): Promise<void> {
  const { result } = end
  if (result === null) return changeLeased(parts, lease, (job) => endJob(job, { ...end, result }))
  const { path, ...facts } = result
  const content = { kind: 'result', name: '', mediaType: facts.mediaType, path } as const
  return keepContent(parts, lease, content, (job, bytes) =>
    endJob(job, { ...end, result: { ...facts, bytes } }),
  )
}

interface RecordedEnd extends Omit<JobEnd, 'result'> {
  readonly result: JobResultFacts | null
}

async function endJob(
  { sql, row, nowMs }: HeldJob,
  { state, error, result }: RecordedEnd,
): Promise<JobChange<undefined>> {
  await sql`DELETE FROM job_memory WHERE job_id = ${row.id}`
  // Nobody goes on with the job, so that nobody needs what its steps have left.
  await sql`UPDATE job_step SET result = NULL WHERE job_id = ${row.id}`
  const progress = progressAtEnd(row, state === 'succeeded')
  return {
    answer: undefined,
    set: {
      state,
      ended_ms: nowMs,
      error: error === null ? null : JSON.stringify(error),
      result: result === null ? null : JSON.stringify(result),
      progress: JSON.stringify(progress),
      credential: null,
      running_step: null,
      running_attempt: null,
      pending_end: null,
      lease_until_ms: null,
    },
    events: [
      // Who follows the progress alone sees it come to its end.
      ...(state === 'succeeded' ? [progressEvent(nowMs, progress)] : []),
      stateEvent(nowMs, { state, attempt: row.attempt, error }),
    ],
  }
}

function progressAtEnd(row: JobRow, succeeded: boolean): JobProgress {
  const progress = progressOf(row)
  return { ...progress, overall: succeeded ? 100 : Math.min(progress.overall, highestUnfinished) }
}

const cancelledError: JobError = Object.freeze({
  code: 'CANCELLED',
  message: 'The job was cancelled.',
  step: null,
  rollbackErrors: Object.freeze([]),
})

/** As `JobStore.cancel`. */
export async function cancelJob(parts: JobStoreParts, id: string, viewer: Viewer): Promise<Job> {
  if (!isJobId(id)) throw jobNotFound()
  const cancelled = await parts.database.write(async (sql) => {
    const job = assertSeen(await holdJob(parts, sql, id), viewer)
    await applyChange(parts, job, await cancelHeld(job))
    return await readJobWithin(parts, sql, id)
  })
  parts.room.leave()
  return cancelled
}

async function cancelHeld(job: HeldJob): Promise<JobChange<undefined>> {
  const { row, nowMs } = job
  if (isEnded(row.state)) return { answer: undefined }
  const isAbandoned = row.state === 'running' && Number(row.lease_until_ms) <= nowMs
  const isToRollBack = await hasStepsToRollBack(job)
  if (row.state === 'running' && (isToRollBack || !isAbandoned)) {
    return { answer: undefined, set: { cancel_requested: 1 } }
  }
  const end = { state: 'cancelled', error: cancelledError } as const
  if (!isToRollBack) {
    const { set, ...change } = await endJob(job, { ...end, result: null })
    return { ...change, set: { ...set, cancel_requested: 1 } }
  }
  const pending_end = row.pending_end ?? JSON.stringify(end)
  return { answer: undefined, set: { cancel_requested: 1, pending_end } }
}

async function hasStepsToRollBack({ sql, row }: HeldJob): Promise<boolean> {
  if (row.running_step !== null) return true
  const [step] = await sql`
    SELECT name FROM job_step
    WHERE job_id = ${row.id} AND state <> 'skipped' AND rollback IS NULL LIMIT 1`
  return step !== undefined
}
