import type { TransactionSQL } from 'bun'
import { IsoplexError } from '../../error/error.ts'
import type { NewJobEvent } from '../event.ts'
import type { JobError, JobProgress, JobState } from '../job.ts'
import type { Lease } from '../store.ts'
import { admitEvents, type EventCount, insertEvents, removeEvent } from './event-log.ts'
import type { BigColumn, JobRow } from './job-row.ts'
import { jobColumns } from './job-row.ts'
import type { JobStoreParts } from './store-parts.ts'

/** A job that nobody else changes until the transaction ends. */
export interface HeldJob {
  readonly sql: TransactionSQL
  readonly row: JobRow
  /** The database's time. */
  readonly nowMs: number
}

type EventColumn = 'last_seq' | 'kept_events' | 'dropped_events' | 'progress_seq'

/** The columns of a job that a change may set. */
export interface JobColumns extends Partial<Omit<JobRow, 'id' | EventColumn>> {
  readonly worker?: string | null
  readonly credential?: null
}

/** What becomes of a job that is held, beside what was written into other tables. */
export interface JobChange<Answer> {
  readonly answer: Answer
  readonly set?: JobColumns
  readonly events?: readonly NewJobEvent[]
}

/**
 * Changes a running job in one transaction, where the lease is its newest one.
 *
 * @throws {IsoplexError} `LEASE_LOST`; nothing has changed then.
 */
export function changeLeased<Answer>(
  parts: JobStoreParts,
  lease: Lease,
  work: (job: HeldJob) => Promise<JobChange<Answer>>,
): Promise<Answer> {
  return parts.database.write(async (sql) => {
    const job = await holdLeased(parts, sql, lease)
    return await applyChange(parts, job, await work(job))
  })
}

/** Writes what becomes of a job that is held. */
export async function applyChange<Answer>(
  { limits }: JobStoreParts,
  { sql, row }: HeldJob,
  { answer, set = {}, events = [] }: JobChange<Answer>,
): Promise<Answer> {
  const admitted = admitEvents(eventCountOf(row), events, limits.maxJobEvents)
  const { replacedSeq } = admitted
  const counted = {
    last_seq: admitted.lastSeq,
    kept_events: admitted.kept,
    dropped_events: admitted.dropped,
    progress_seq: admitted.progressSeq,
  }
  const columns = { ...set, ...(events.length === 0 ? {} : counted) }
  // One way to the server and back for all.
  await Promise.all([
    replacedSeq === null ? null : removeEvent(sql, row.id, replacedSeq),
    insertEvents(sql, row.id, admitted.events),
    Object.keys(columns).length > 0 ? sql`UPDATE job SET ${sql(columns)} WHERE id = ${row.id}` : null,
  ])
  return answer
}

async function holdLeased(
  { database: { dialect } }: JobStoreParts,
  sql: TransactionSQL,
  { jobId, fence }: Lease,
): Promise<HeldJob> {
  const [row] = await sql<(JobRow & { readonly now_ms: BigColumn })[]>`
    SELECT ${sql.unsafe(jobColumns)}, ${sql.unsafe(dialect.nowMs)} AS now_ms FROM job
    WHERE id = ${jobId} AND fence = ${fence} AND state = 'running' ${sql.unsafe(dialect.lock)}`
  if (row === undefined) throw leaseLost()
  return { sql, row, nowMs: Number(row.now_ms) }
}

/** Holds a job, whoever works on it; `null` where there is none. */
export async function holdJob(
  { database: { dialect } }: JobStoreParts,
  sql: TransactionSQL,
  id: string,
): Promise<HeldJob | null> {
  const [row] = await sql<(JobRow & { readonly now_ms: BigColumn })[]>`
    SELECT ${sql.unsafe(jobColumns)}, ${sql.unsafe(dialect.nowMs)} AS now_ms FROM job
    WHERE id = ${id} ${sql.unsafe(dialect.lock)}`
  return row === undefined ? null : { sql, row, nowMs: Number(row.now_ms) }
}

function eventCountOf({ last_seq, kept_events, dropped_events, progress_seq }: JobRow): EventCount {
  return {
    lastSeq: Number(last_seq),
    kept: Number(kept_events),
    dropped: Number(dropped_events),
    progressSeq: progress_seq === null ? null : Number(progress_seq),
  }
}

/** What a change under a lease that is not the newest one is refused with. */
export function leaseLost(): IsoplexError<'LEASE_LOST'> {
  return new IsoplexError(
    'LEASE_LOST',
    'The job has ended, or another worker goes on with it; whoever is told this stops working on it.',
  )
}

/** The event of a job's new state. */
export function stateEvent(
  atMs: number,
  { state, attempt, error }: { state: JobState; attempt: number; error: JobError | null },
): NewJobEvent {
  return { atMs, kind: 'state', data: { state, attempt, error } }
}

/** The event of how far a job is. */
export function progressEvent(atMs: number, progress: JobProgress): NewJobEvent {
  return { atMs, kind: 'progress', data: { ...progress } }
}

/** The event of what has become of a step. */
export function stepEvent(
  atMs: number,
  step: string,
  state: 'started' | 'done' | 'skipped' | 'failed' | 'rolled-back' | 'rollback-failed',
): NewJobEvent {
  return { atMs, kind: 'step', data: { step, state } }
}
