import type { SQL, TransactionSQL } from 'bun'
import type { StepRecord } from '../../define/step.ts'
import type { RequestHead } from '../../runner/head.ts'
import type { Lease, RunningStep, TakenJob, TakeOptions } from '../store.ts'
import { applyChange, changeLeased, type HeldJob, leaseLost, stateEvent } from './job-change.ts'
import type { JobDialect } from './job-dialect.ts'
import { type BigColumn, type JobRow, jobColumns, pendingEndOf, readParts, toJob } from './job-row.ts'
import { readMemory } from './memory-table.ts'
import type { JobStoreParts } from './store-parts.ts'

/** As `JobStore.take`. */
export async function takeJob(parts: JobStoreParts, options: TakeOptions): Promise<TakenJob | null> {
  if (options.functions.length === 0) return null
  const taken = await parts.database.write(async (sql) => {
    const found = (await findAbandoned(parts, sql, options)) ?? (await findQueued(parts, sql, options))
    return found === null ? null : await takeHeld(parts, found, options)
  })
  if (taken !== null) parts.room.leave()
  return taken
}

/** A running job whose lease has ended: its worker is dead, or cut off. */
async function findAbandoned(
  { database: { dialect } }: JobStoreParts,
  sql: TransactionSQL,
  { functions, except }: TakeOptions,
): Promise<HeldJob | null> {
  const nowMs = sql.unsafe(dialect.nowMs)
  const [row] = await sql<TakeRow[]>`
    SELECT ${sql.unsafe(jobColumns)}, ${nowMs} AS now_ms FROM job
    WHERE state = 'running' AND lease_until_ms <= ${nowMs} AND function_name IN ${sql(functions)}
      ${exceptThose(sql, except)}
    ORDER BY id LIMIT 1 ${sql.unsafe(dialect.lockFree)}`
  return row === undefined ? null : { sql, row, nowMs: Number(row.now_ms) }
}

/**
 * A job that waits. One that was begun before goes first; else the principals take turns, in the order of their names,
 * each with the job that has waited longest: whoever submits thousands keeps nobody else waiting for all of them.
 */
async function findQueued(
  parts: JobStoreParts,
  sql: TransactionSQL,
  { functions, except, after }: TakeOptions,
): Promise<HeldJob | null> {
  const find = (choice: Omit<Choice, 'functions' | 'except'>): Promise<HeldJob | null> =>
    findFirst(parts, sql, { ...choice, functions, except })
  const begun = await find({ index: 'job_interrupted', where: sql`started_ms IS NOT NULL` })
  if (begun !== null) return begun
  const next =
    after === undefined ? null : await find({ index: 'job_queued', where: sql`principal > ${after}` })
  return next ?? (await find({ index: 'job_queued', where: sql`1 = 1` }))
}

interface Choice extends Pick<TakeOptions, 'functions'> {
  readonly except: TakeOptions['except'] | undefined
  readonly index: keyof JobDialect['indexedBy']
  readonly where: SQL.Query<unknown>
}

async function findFirst(
  { database: { dialect } }: JobStoreParts,
  sql: TransactionSQL,
  { functions, except, index, where }: Choice,
): Promise<HeldJob | null> {
  const [row] = await sql<TakeRow[]>`
    SELECT ${sql.unsafe(jobColumns)}, ${sql.unsafe(dialect.nowMs)} AS now_ms
    FROM job ${sql.unsafe(dialect.indexedBy[index])}
    WHERE state = 'queued' AND ${where} AND function_name IN ${sql(functions)} ${exceptThose(sql, except)}
    ORDER BY principal, id LIMIT 1 ${sql.unsafe(dialect.lockFree)}`
  return row === undefined ? null : { sql, row, nowMs: Number(row.now_ms) }
}

function exceptThose(sql: TransactionSQL, ids: readonly string[] = []): SQL.Query<unknown> {
  return ids.length === 0 ? sql`` : sql`AND id NOT IN ${sql(ids)}`
}

interface TakeRow extends JobRow {
  readonly now_ms: BigColumn
}

async function takeHeld(
  parts: JobStoreParts,
  job: HeldJob,
  { worker, leaseMs }: TakeOptions,
): Promise<TakenJob> {
  const { sql, row, nowMs } = job
  const lease: Lease = { jobId: row.id, fence: Number(row.fence) + 1 }
  const attempt = row.attempt + 1
  const set = {
    state: 'running',
    fence: lease.fence,
    attempt,
    attempts_in_vain: row.attempts_in_vain + 1,
    started_ms: row.started_ms ?? nowMs,
    lease_until_ms: nowMs + leaseMs,
    worker,
  } as const
  const events = [stateEvent(nowMs, { state: 'running', attempt, error: null })]
  await applyChange(parts, job, { answer: undefined, set, events })
  const taken = await readTaken(parts, sql, { ...row, ...set })
  return { ...taken, elapsedMs: nowMs - Number(set.started_ms) }
}

async function readTaken(
  { limits }: JobStoreParts,
  sql: TransactionSQL,
  row: JobRow,
): Promise<Omit<TakenJob, 'elapsedMs'>> {
  const [requests, steps, partsOf, { fields, checkpoint }] = await Promise.all([
    sql<RequestRow[]>`SELECT head, models, credential FROM job WHERE id = ${row.id}`,
    sql<RecordRow[]>`SELECT name, result, rollback FROM job_step WHERE job_id = ${row.id} ORDER BY seq`,
    readParts(sql, [row.id]),
    readMemory(sql, row.id),
  ])
  const request = requests[0]
  if (request === undefined) throw new Error('a job that was just taken is gone')
  return {
    lease: { jobId: row.id, fence: Number(row.fence) },
    job: toJob(row, partsOf(row.id), limits.jobRetentionMs),
    head: JSON.parse(request.head) as RequestHead,
    credential: request.credential === null ? null : new Uint8Array(request.credential),
    models: JSON.parse(request.models) as string[],
    steps: steps.flatMap(({ name, result }): StepRecord[] =>
      result === null ? [] : [{ name, result: JSON.parse(result) as StepRecord['result'] }],
    ),
    rolledBack: steps.filter((step) => step.rollback !== null).map((step) => step.name),
    fields,
    runningStep: runningStepOf(row),
    checkpoint,
    pendingEnd: pendingEndOf(row),
    attemptsInVain: row.attempts_in_vain,
  }
}

interface RequestRow {
  readonly head: string
  readonly models: string
  readonly credential: Uint8Array | null
}

interface RecordRow {
  readonly name: string
  readonly result: string | null
  readonly rollback: string | null
}

function runningStepOf({ running_step, running_attempt }: JobRow): RunningStep | null {
  return running_step === null ? null : { name: running_step, attempt: running_attempt ?? 1 }
}

/** Ends all leases: whoever had them is dead, and their jobs need not wait until the time is over. */
export function endLeases({ database }: JobStoreParts): Promise<void> {
  return database.write(async (sql) => {
    await sql`UPDATE job SET lease_until_ms = 0 WHERE state = 'running'`
  })
}

/** As `JobStore.renew`. */
export function renewLease(
  { database }: JobStoreParts,
  lease: Lease,
  leaseMs: number,
): Promise<{ readonly cancelRequested: boolean }> {
  return database.write(async (sql) => {
    const [row] = await sql<{ cancel_requested: number }[]>`
      UPDATE job SET lease_until_ms = ${sql.unsafe(database.dialect.nowMs)} + ${leaseMs}
      WHERE id = ${lease.jobId} AND fence = ${lease.fence} AND state = 'running' RETURNING cancel_requested`
    if (row === undefined) throw leaseLost()
    return { cancelRequested: row.cancel_requested === 1 }
  })
}

/** As `JobStore.release`. */
export function releaseJob(
  parts: JobStoreParts,
  lease: Lease,
  { blameless }: { readonly blameless: boolean },
): Promise<void> {
  return changeLeased(parts, lease, async ({ row, nowMs }) => ({
    answer: undefined,
    set: {
      state: 'queued',
      attempts_in_vain: Math.max(row.attempts_in_vain - (blameless ? 1 : 0), 0),
      lease_until_ms: null,
      worker: null,
    },
    events: [stateEvent(nowMs, { state: 'queued', attempt: row.attempt, error: null })],
  }))
}
