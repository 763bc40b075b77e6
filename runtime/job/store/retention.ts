import { removeLeftovers } from '../content/leftovers.ts'
import { findNamedKeys } from './content-table.ts'
import type { BigColumn } from './job-row.ts'
import type { JobStoreParts } from './store-parts.ts'

const jobsAtOnce = 100
const eventsAtOnce = 10_000
const tables = ['job_step', 'job_memory', 'job_event', 'job_content']

/** As `JobStore.sweep`. In small transactions, so that others need not wait for it. */
export async function sweepJobs(parts: JobStoreParts): Promise<number> {
  let count = 0
  for (let expired = await findExpired(parts); expired.length > 0; expired = await findExpired(parts)) {
    for (const job of expired) count += await forgetJob(parts, job)
  }
  await removeLeftovers(parts.shelf, (keys) => parts.database.read((sql) => findNamedKeys(sql, keys)))
  return count
}

interface ExpiredJob {
  readonly id: string
  readonly lastSeq: number
}

function findExpired({ database, limits }: JobStoreParts): Promise<readonly ExpiredJob[]> {
  return database.read(async (sql) => {
    const rows = await sql<{ id: string; last_seq: BigColumn }[]>`
      SELECT id, last_seq FROM job
      WHERE ended_ms <= ${sql.unsafe(database.dialect.nowMs)} - ${limits.jobRetentionMs}
      ORDER BY ended_ms LIMIT ${jobsAtOnce}`
    return rows.map((row) => ({ id: row.id, lastSeq: Number(row.last_seq) }))
  })
}

/** Nothing of a job that has ended changes any more, but that others forget it too. */
async function forgetJob({ database, shelf }: JobStoreParts, { id, lastSeq }: ExpiredJob): Promise<number> {
  for (let seq = eventsAtOnce; seq < lastSeq; seq += eventsAtOnce) {
    await database.write((sql) => sql`DELETE FROM job_event WHERE job_id = ${id} AND seq <= ${seq}`)
  }
  const { count, keys } = await database.write(async (sql) => {
    const contents = await sql<{ shelf_key: string }[]>`
      SELECT shelf_key FROM job_content WHERE job_id = ${id} AND shelf_key IS NOT NULL`
    for (const table of tables) await sql`DELETE FROM ${sql.unsafe(table)} WHERE job_id = ${id}`
    const forgotten = await sql`DELETE FROM job WHERE id = ${id} RETURNING id`
    return { count: forgotten.length, keys: contents.map((row) => row.shelf_key) }
  })
  if (keys.length > 0) await shelf.remove(keys)
  return count
}
