import { createHash } from 'node:crypto'
import type { SQL, TransactionSQL } from 'bun'
import { IsoplexError } from '../../error/error.ts'
import type { Job } from '../job.ts'
import type { JobLimits, NewJob } from '../store.ts'
import { type NewContent, placeContent } from './content-table.ts'
import { insertEvents } from './event-log.ts'
import { stateEvent } from './job-change.ts'
import { type BigColumn, type JobRow, jobColumns, noParts, readParts, toJob } from './job-row.ts'
import type { JobStoreParts } from './store-parts.ts'

/** What a submission has come to. */
interface Submitted {
  readonly job: Job
  readonly created: boolean
}

/** As `JobStore.submit`. */
export async function submitJob(parts: JobStoreParts, job: NewJob, limits: JobLimits): Promise<Submitted> {
  const { database, makeId } = parts
  const marks = marksOf(job)
  // Before a large body is put on the shelf for nothing; and again where nothing can come between.
  const { existing: earlier, createdMs } = await database.read(async (sql) => {
    const existing = await findSubmitted(parts, sql, marks)
    if (existing === null) await parts.room.check(sql, job.principal, limits)
    const [row] = await sql<{ now_ms: BigColumn }[]>`SELECT ${sql.unsafe(database.dialect.nowMs)} AS now_ms`
    return { existing, createdMs: Number(row?.now_ms) }
  })
  if (earlier !== null) return { job: earlier, created: false }
  const id = makeId(createdMs)
  const input: NewContent = {
    jobId: id,
    kind: 'input',
    name: '',
    mediaType: job.head.contentType ?? 'application/octet-stream',
    source: { bytes: job.body },
    bytes: job.body.byteLength,
  }
  return await placeContent(parts, input, (place) =>
    database.write(async (sql) => {
      const existing = await findSubmitted(parts, sql, marks)
      if (existing !== null) return { job: existing, created: false }
      await parts.room.reserve(sql, job.principal, limits)
      const row = await insertJob(sql, { id, createdMs, job, marks })
      if (row === null) {
        // Somebody else was quicker by a moment.
        const quicker = await findSubmitted(parts, sql, marks)
        if (quicker !== null) return { job: quicker, created: false }
        throw new Error('a job kept its idempotency key from being used, and is gone')
      }
      await place(sql)
      const queued = stateEvent(createdMs, { state: 'queued', attempt: 0, error: null })
      await insertEvents(sql, id, [{ ...queued, seq: 1 }])
      return { job: toJob(row, noParts, parts.limits.jobRetentionMs), created: true }
    }),
  )
}

/** By what a submission is known again; both are `null` where it came without a key. */
interface SubmissionMarks {
  readonly idempotency: string | null
  readonly digest: string | null
}

function marksOf({ idempotencyKey, principal, function: name, head, body }: NewJob): SubmissionMarks {
  if (idempotencyKey === null) return { idempotency: null, digest: null }
  return {
    idempotency: sha256(JSON.stringify([principal, name, idempotencyKey])),
    digest: sha256(JSON.stringify([head.method, head.url, head.contentType]), body),
  }
}

function sha256(...pieces: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256')
  for (const piece of pieces) hash.update(piece)
  return hash.digest('hex')
}

async function findSubmitted(
  { limits }: JobStoreParts,
  sql: SQL,
  { idempotency, digest }: SubmissionMarks,
): Promise<Job | null> {
  if (idempotency === null) return null
  const [row] = await sql<(JobRow & { readonly request_digest: string | null })[]>`
    SELECT ${sql.unsafe(jobColumns)}, request_digest FROM job WHERE idempotency = ${idempotency}`
  if (row === undefined) return null
  if (row.request_digest !== digest) {
    throw new IsoplexError(
      'IDEMPOTENCY_MISMATCH',
      'This idempotency key was used for another request; send the same one again, or another key.',
    )
  }
  return toJob(row, (await readParts(sql, [row.id]))(row.id), limits.jobRetentionMs)
}

interface JobInsertion {
  readonly id: string
  readonly createdMs: number
  readonly job: NewJob
  readonly marks: SubmissionMarks
}

async function insertJob(
  sql: TransactionSQL,
  { id, createdMs, job, marks }: JobInsertion,
): Promise<JobRow | null> {
  const columns = {
    id,
    function_name: job.function,
    category: job.category,
    principal: job.principal,
    state: 'queued',
    created_ms: createdMs,
    attempt: 0,
    attempts_in_vain: 0,
    cancel_requested: 0,
    fence: 0,
    head: JSON.stringify(job.head),
    models: JSON.stringify(job.models),
    credential: job.credential,
    idempotency: marks.idempotency,
    request_digest: marks.digest,
    last_seq: 1,
    kept_events: 1,
    dropped_events: 0,
  }
  const [row] = await sql<JobRow[]>`
    INSERT INTO job ${sql(columns)} ON CONFLICT (idempotency) DO NOTHING RETURNING ${sql.unsafe(jobColumns)}`
  return row ?? null
}
