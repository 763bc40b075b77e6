import type { StepRecord, StepResult } from '../../define/step.ts'
import type { JobStep } from '../job.ts'
import type { Lease, PendingEnd, RunningStep } from '../store.ts'
import { changeLeased, type HeldJob, type JobColumns, stepEvent } from './job-change.ts'
import { pendingEndOf, type StepRollback } from './job-row.ts'
import { writeMemory } from './memory-table.ts'
import { assertWithin, countBytes } from './record-limit.ts'
import type { JobStoreParts } from './store-parts.ts'

const wayOut = 'keep what is large in a file of the job (files.write), and record its name'

/** As `JobStore.beginStep`. */
export function beginStep(parts: JobStoreParts, lease: Lease, name: string): Promise<RunningStep> {
  return changeLeased(parts, lease, async ({ sql, row, nowMs }) => {
    const again = row.running_step === name
    const attempt = again ? (row.running_attempt ?? 0) + 1 : 1
    if (!again) await writeMemory(sql, row.id, 'checkpoint', undefined)
    return {
      answer: { name, attempt },
      set: { running_step: name, running_attempt: attempt },
      events: [stepEvent(nowMs, name, 'started')],
    }
  })
}

/** As `JobStore.recordStep`. */
export function recordStep(
  parts: JobStoreParts,
  lease: Lease,
  { name, result }: StepRecord,
  fields: unknown,
  next: string | null,
): Promise<void> {
  const resultText = JSON.stringify(result)
  const fieldsText = JSON.stringify(fields)
  const bytes = countBytes(resultText) + countBytes(fieldsText)
  return changeLeased(parts, lease, async (job) => {
    assertWithin(bytes, parts.limits.maxJobRecordBytes, `The record of the step "${name}"`, wayOut)
    const state = stateOf(result)
    if (!(await insertStep(job, { name, state, result: resultText, rollback: null })))
      return { answer: undefined }
    await writeMemory(job.sql, job.row.id, 'fields', fieldsText)
    await writeMemory(job.sql, job.row.id, 'checkpoint', undefined)
    const started = next === null ? [] : [stepEvent(job.nowMs, next, 'started')]
    return {
      answer: undefined,
      set: { attempts_in_vain: 0, running_step: next, running_attempt: next === null ? null : 1 },
      events: [stepEvent(job.nowMs, name, state), ...started],
    }
  })
}

type RecordedState = Exclude<JobStep['state'], 'rolled-back'>

function stateOf({ skipped, success }: StepResult): RecordedState {
  if (skipped) return 'skipped'
  return success ? 'done' : 'failed'
}

interface StepInsertion {
  readonly name: string
  readonly state: RecordedState
  readonly result: string | null
  readonly rollback: StepRollback | null
}

async function insertStep(
  { sql, row, nowMs }: HeldJob,
  { name, state, result, rollback }: StepInsertion,
): Promise<boolean> {
  const columns = {
    job_id: row.id,
    name,
    seq: Number(row.last_seq),
    state,
    result,
    ended_ms: nowMs,
    rollback,
  }
  const inserted = await sql`
    INSERT INTO job_step ${sql(columns)} ON CONFLICT (job_id, name) DO NOTHING RETURNING name`
  return inserted.length > 0
}

/** As `JobStore.saveCheckpoint`. */
export function saveCheckpoint(parts: JobStoreParts, lease: Lease, value: unknown): Promise<void> {
  const text = JSON.stringify(value)
  return changeLeased(parts, lease, async ({ sql, row }) => {
    const where = row.running_step === null ? '' : ` of the step "${row.running_step}"`
    assertWithin(countBytes(text), parts.limits.maxJobRecordBytes, `The checkpoint${where}`, wayOut)
    await writeMemory(sql, row.id, 'checkpoint', text)
    return { answer: undefined, set: { attempts_in_vain: 0 } }
  })
}

/** As `JobStore.beginRollback`. */
export function beginRollback(parts: JobStoreParts, lease: Lease, end: PendingEnd): Promise<void> {
  return changeLeased(parts, lease, async ({ row }) =>
    row.pending_end === null
      ? { answer: undefined, set: { pending_end: JSON.stringify(end), attempts_in_vain: 0 } }
      : { answer: undefined },
  )
}

/** As `JobStore.recordRollback`. */
export function recordRollback(
  parts: JobStoreParts,
  lease: Lease,
  step: string,
  error: string | null,
): Promise<void> {
  return changeLeased(parts, lease, async (job) => {
    if (!(await markRolledBack(job, step, error === null ? 'done' : 'failed'))) return { answer: undefined }
    return {
      answer: undefined,
      set: { attempts_in_vain: 0, ...(error === null ? {} : withRollbackError(job, error)) },
      events: [stepEvent(job.nowMs, step, error === null ? 'rolled-back' : 'rollback-failed')],
    }
  })
}

/** Whether it was not marked before. */
async function markRolledBack(job: HeldJob, step: string, rollback: StepRollback): Promise<boolean> {
  const { sql, row } = job
  // A step that was interrupted has no result; its rollback is to be known all the same.
  if (await insertStep(job, { name: step, state: 'failed', result: null, rollback })) return true
  const marked = await sql`
    UPDATE job_step SET rollback = ${rollback}
    WHERE job_id = ${row.id} AND name = ${step} AND rollback IS NULL RETURNING name`
  return marked.length > 0
}

function withRollbackError({ row }: HeldJob, error: string): JobColumns {
  const pending = pendingEndOf(row)
  if (pending === null) return {}
  const rollbackErrors = [...pending.error.rollbackErrors, error]
  return { pending_end: JSON.stringify({ ...pending, error: { ...pending.error, rollbackErrors } }) }
}
