import type { SQL } from 'bun'
import type { JobFileFacts } from '../../define/action-context.ts'
import type { Job, JobError, JobMetrics, JobProgress, JobResultFacts, JobState, JobStep } from '../job.ts'
import type { PendingEnd } from '../store.ts'

/** An integer beyond 32 bits as the databases give it: PostgreSQL as text. */
export type BigColumn = number | string

/** The columns of a job that are seen, and those by which it is changed. */
export interface JobRow {
  readonly id: string
  readonly function_name: string
  readonly category: string | null
  readonly principal: string
  readonly state: JobState
  readonly created_ms: BigColumn
  readonly started_ms: BigColumn | null
  readonly ended_ms: BigColumn | null
  readonly attempt: number
  readonly attempts_in_vain: number
  readonly cancel_requested: number
  readonly pending_end: string | null
  readonly fence: BigColumn
  readonly lease_until_ms: BigColumn | null
  readonly running_step: string | null
  readonly running_attempt: number | null
  readonly progress: string | null
  readonly metrics: string | null
  readonly error: string | null
  readonly result: string | null
  readonly last_seq: BigColumn
  readonly kept_events: BigColumn
  readonly dropped_events: BigColumn
  readonly progress_seq: BigColumn | null
}

/** Those columns, as what a SELECT or a RETURNING names. */
export const jobColumns = [
  'id, function_name, category, principal, state, created_ms, started_ms, ended_ms, attempt, attempts_in_vain',
  'cancel_requested, pending_end, fence, lease_until_ms, running_step, running_attempt, progress, metrics, error, result',
  'last_seq, kept_events, dropped_events, progress_seq',
].join(', ')

/** What belongs to a job and has tables of its own. */
export interface JobParts {
  readonly steps: readonly JobStep[]
  readonly files: readonly JobFileFacts[]
}

/** What a job that was just submitted has. */
export const noParts: JobParts = Object.freeze({ steps: Object.freeze([]), files: Object.freeze([]) })

/** How far a job is of which nothing was reported. */
const noProgress: JobProgress = Object.freeze({
  overall: 0,
  current: null,
  categories: Object.freeze({}),
})

/** A job as it is seen from outside. */
export function toJob(row: JobRow, { steps, files }: JobParts, retentionMs: number): Job {
  const endedMs = toNumber(row.ended_ms)
  return {
    id: row.id,
    function: row.function_name,
    category: row.category,
    principal: row.principal,
    state: row.state,
    createdMs: Number(row.created_ms),
    startedMs: toNumber(row.started_ms),
    endedMs,
    expiresMs: endedMs === null ? null : endedMs + retentionMs,
    attempt: row.attempt,
    cancelRequested: row.cancel_requested === 1,
    rollingBack: row.pending_end !== null,
    steps,
    progress: progressOf(row),
    metrics: fromJson<JobMetrics>(row.metrics) ?? {},
    files,
    error: fromJson<JobError>(row.error),
    result: fromJson<JobResultFacts>(row.result),
  }
}

/** How far a job is. */
export function progressOf(row: Pick<JobRow, 'progress'>): JobProgress {
  return fromJson<JobProgress>(row.progress) ?? noProgress
}

/** What a job ends as once its rollback has ended; `null` where none has begun. */
export function pendingEndOf(row: Pick<JobRow, 'pending_end'>): PendingEnd | null {
  return fromJson<PendingEnd>(row.pending_end)
}

/** The steps and the files of jobs, by the jobs' ids. */
export async function readParts(sql: SQL, ids: readonly string[]): Promise<(id: string) => JobParts> {
  if (ids.length === 0) return () => noParts
  const steps = await sql<StepRow[]>`
    SELECT job_id, name, state, ended_ms, rollback FROM job_step WHERE job_id IN ${sql(ids)} ORDER BY job_id, seq`
  const files = await sql<FileRow[]>`
    SELECT job_id, name, media_type, size_bytes FROM job_content
    WHERE job_id IN ${sql(ids)} AND kind = 'file' ORDER BY job_id, name`
  const stepsById = Map.groupBy(steps, (row) => row.job_id)
  const filesById = Map.groupBy(files, (row) => row.job_id)
  return (id) => ({
    steps: (stepsById.get(id) ?? []).map(toStep),
    files: (filesById.get(id) ?? []).map(toFile),
  })
}

/** What has become of the rollback of a step. */
export type StepRollback = 'done' | 'failed'

interface StepRow {
  readonly job_id: string
  readonly name: string
  readonly state: Exclude<JobStep['state'], 'rolled-back'>
  readonly ended_ms: BigColumn
  readonly rollback: StepRollback | null
}

interface FileRow {
  readonly job_id: string
  readonly name: string
  readonly media_type: string
  readonly size_bytes: BigColumn
}

function toStep(row: StepRow): JobStep {
  return {
    name: row.name,
    state: row.rollback === 'done' ? 'rolled-back' : row.state,
    endedMs: Number(row.ended_ms),
  }
}

function toFile(row: FileRow): JobFileFacts {
  return { name: row.name, mediaType: row.media_type, bytes: Number(row.size_bytes) }
}

function toNumber(column: BigColumn | null): number | null {
  return column === null ? null : Number(column)
}

function fromJson<Value>(text: string | null): Value | null {
  return text === null ? null : (JSON.parse(text) as Value)
}
