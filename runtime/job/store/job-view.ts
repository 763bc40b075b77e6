import type { SQL } from 'bun'
import { IsoplexError } from '../../error/error.ts'
import type { Job } from '../job.ts'
import type { JobQuery, Viewer } from '../store.ts'
import type { HeldJob } from './job-change.ts'
import { isJobId } from './job-id.ts'
import { type BigColumn, type JobRow, jobColumns, readParts, toJob } from './job-row.ts'
import type { JobStoreParts } from './store-parts.ts'

/** As `JobStore.get`. */
export function getJob(parts: JobStoreParts, id: string, viewer: Viewer): Promise<Job> {
  return parts.database.read(async (sql) => {
    if (!isJobId(id)) throw jobNotFound()
    const job = await readJobWithin(parts, sql, id)
    if (viewer !== null && job.principal !== viewer) throw jobNotFound()
    return job
  })
}

/** A job as a transaction sees it. @throws {IsoplexError} `JOB_NOT_FOUND` */
export async function readJobWithin({ limits }: JobStoreParts, sql: SQL, id: string): Promise<Job> {
  const [row] = await sql<JobRow[]>`SELECT ${sql.unsafe(jobColumns)} FROM job WHERE id = ${id}`
  if (row === undefined) throw jobNotFound()
  return toJob(row, (await readParts(sql, [id]))(id), limits.jobRetentionMs)
}

/** As `JobStore.list`. */
export function listJobs({ database, limits }: JobStoreParts, query: JobQuery): Promise<readonly Job[]> {
  const { viewer, state, function: name, before, limit } = query
  return database.read(async (sql) => {
    if (holdsNul(viewer, name, before)) return []
    const rows = await sql<JobRow[]>`
      SELECT ${sql.unsafe(jobColumns)} FROM job WHERE 1 = 1
        ${viewer === null ? sql`` : sql`AND principal = ${viewer}`}
        ${state === null ? sql`` : sql`AND state = ${state}`}
        ${name === null ? sql`` : sql`AND function_name = ${name}`}
        ${before === null ? sql`` : sql`AND id < ${before}`}
      ORDER BY id DESC LIMIT ${limit}`
    const partsOf = await readParts(
      sql,
      rows.map((row) => row.id),
    )
    return rows.map((row) => toJob(row, partsOf(row.id), limits.jobRetentionMs))
  })
}

/** Whether one of some texts is one that PostgreSQL cannot compare anything with: no row has it. */
export function holdsNul(...texts: readonly (string | null)[]): boolean {
  return texts.some((text) => text?.includes('\0'))
}

/** As `JobStore.countQueued`. */
export function countQueued({ database }: JobStoreParts): Promise<Readonly<Record<string, number>>> {
  return database.read(async (sql) => {
    const rows = await sql<{ function_name: string; count: BigColumn }[]>`
      SELECT function_name, count(*) AS count FROM job WHERE state = 'queued' GROUP BY function_name`
    return Object.fromEntries(rows.map((row) => [row.function_name, Number(row.count)]))
  })
}

/** A job that was found and that the viewer sees. @throws {IsoplexError} `JOB_NOT_FOUND` */
export function assertSeen(job: HeldJob | null, viewer: Viewer): HeldJob {
  if (job === null || (viewer !== null && job.row.principal !== viewer)) throw jobNotFound()
  return job
}

/** What is thrown where there is no such job, or none that the viewer sees. */
export function jobNotFound(): IsoplexError<'JOB_NOT_FOUND'> {
  return new IsoplexError(
    'JOB_NOT_FOUND',
    'There is no such job: it was never submitted, is forgotten, or is somebody else’s.',
  )
}
