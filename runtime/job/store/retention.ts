import { removeLeftovers } from '../content/leftovers.ts'
import { findNamedKeys } from './content-table.ts'
import type { JobStoreParts } from './store-parts.ts'

const jobsAtOnce = 100
const tables = ['job_step', 'job_memory', 'job_event', 'job_content']

/** As `JobStore.sweep`. */
export async function sweepJobs(parts: JobStoreParts): Promise<number> {
  let total = 0
  for (;;) {
    const count = await forgetSome(parts)
    total += count
    if (count < jobsAtOnce) break
  }
  await removeLeftovers(parts.shelf, (keys) => parts.database.read((sql) => findNamedKeys(sql, keys)))
  return total
}

async function forgetSome({ database, shelf, limits }: JobStoreParts): Promise<number> {
  const { count, keys } = await database.write(async (sql) => {
    const rows = await sql<{ id: string }[]>`
      SELECT id FROM job WHERE ended_ms <= ${sql.unsafe(database.dialect.nowMs)} - ${limits.retentionMs}
      ORDER BY ended_ms LIMIT ${jobsAtOnce} ${sql.unsafe(database.dialect.lockFree)}`
    const ids = rows.map((row) => row.id)
    if (ids.length === 0) return { count: 0, keys: [] }
    const contents = await sql<{ shelf_key: string }[]>`
      SELECT shelf_key FROM job_content WHERE job_id IN ${sql(ids)} AND shelf_key IS NOT NULL`
    for (const table of tables) await sql`DELETE FROM ${sql.unsafe(table)} WHERE job_id IN ${sql(ids)}`
    await sql`DELETE FROM job WHERE id IN ${sql(ids)}`
    return { count: ids.length, keys: contents.map((row) => row.shelf_key) }
  })
  if (keys.length > 0) await shelf.remove(keys)
  return count
}
