import type { TransactionSQL } from 'bun'
import type { JobDialect } from './job-dialect.ts'

/**
 * How the tables came to be what they are: the statements of form 1, those that make form 2 of it, and so on. What
 * once was released is not changed any more.
 */
function formsOf(dialect: JobDialect): readonly (readonly string[])[] {
  return [[...makeJobs(dialect), ...makeParts(dialect)]]
}

function makeJobs({ idType, bigType, bytesType, tableEnd }: JobDialect): readonly string[] {
  return [
    // What a change rewrites again and again stays small: what is large has tables of its own.
    `CREATE TABLE job (
      id ${idType} PRIMARY KEY,
      function_name TEXT NOT NULL,
      category TEXT,
      principal TEXT NOT NULL,
      state TEXT NOT NULL,
      created_ms ${bigType} NOT NULL,
      started_ms ${bigType},
      ended_ms ${bigType},
      attempt INTEGER NOT NULL,
      attempts_in_vain INTEGER NOT NULL,
      cancel_requested INTEGER NOT NULL,
      pending_end TEXT,
      fence ${bigType} NOT NULL,
      lease_until_ms ${bigType},
      worker TEXT,
      head TEXT NOT NULL,
      models TEXT NOT NULL,
      credential ${bytesType},
      idempotency TEXT UNIQUE,
      request_digest TEXT,
      running_step TEXT,
      running_attempt INTEGER,
      progress TEXT,
      metrics TEXT,
      error TEXT,
      result TEXT,
      last_seq ${bigType} NOT NULL,
      kept_events ${bigType} NOT NULL,
      dropped_events ${bigType} NOT NULL,
      progress_seq ${bigType}
    ) ${tableEnd}`,
    // For whoever takes jobs, however many have ended.
    "CREATE INDEX job_queued ON job (principal, id) WHERE state = 'queued'",
    "CREATE INDEX job_interrupted ON job (principal, id) WHERE state = 'queued' AND started_ms IS NOT NULL",
    "CREATE INDEX job_running ON job (id) WHERE state = 'running'",
    'CREATE INDEX job_by_state ON job (state, id)',
    'CREATE INDEX job_by_principal ON job (principal, id)',
    'CREATE INDEX job_unended ON job (principal) WHERE ended_ms IS NULL',
    'CREATE INDEX job_ended ON job (ended_ms) WHERE ended_ms IS NOT NULL',
  ]
}

function makeParts({ idType, bigType, bytesType, tableEnd }: JobDialect): readonly string[] {
  return [
    // A step without a result was rolled back before it came to one.
    `CREATE TABLE job_step (
      job_id ${idType} NOT NULL,
      name TEXT NOT NULL,
      seq ${bigType} NOT NULL,
      state TEXT NOT NULL,
      result TEXT,
      ended_ms ${bigType} NOT NULL,
      rollback TEXT,
      PRIMARY KEY (job_id, name)
    ) ${tableEnd}`,
    // By kind: the shared fields of the steps, and the checkpoint.
    `CREATE TABLE job_memory (
      job_id ${idType} NOT NULL,
      kind TEXT NOT NULL,
      value TEXT NOT NULL,
      PRIMARY KEY (job_id, kind)
    ) ${tableEnd}`,
    `CREATE TABLE job_event (
      job_id ${idType} NOT NULL,
      seq ${bigType} NOT NULL,
      at_ms ${bigType} NOT NULL,
      kind TEXT NOT NULL,
      data TEXT NOT NULL,
      PRIMARY KEY (job_id, seq)
    ) ${tableEnd}`,
    // A content lies on the shelf under its key, or in its row where it is small.
    `CREATE TABLE job_content (
      job_id ${idType} NOT NULL,
      kind TEXT NOT NULL,
      name TEXT NOT NULL,
      media_type TEXT NOT NULL,
      size_bytes ${bigType} NOT NULL,
      shelf_key TEXT UNIQUE,
      bytes ${bytesType},
      PRIMARY KEY (job_id, kind, name)
    ) ${tableEnd}`,
  ]
}

/** The form of the tables that this isoplex reads and writes. */
export const jobSchemaForm = 1

/**
 * Brings the tables up to the form of this isoplex, from none or any earlier form, and gives the form that they have
 * then: a higher one where they are those of a newer isoplex, which are left alone. To be run in one transaction.
 */
export async function migrateJobs(sql: TransactionSQL, dialect: JobDialect): Promise<number> {
  await sql.unsafe(dialect.lockSchema)
  await sql.unsafe(`CREATE TABLE IF NOT EXISTS job_schema (version INTEGER NOT NULL) ${dialect.tableEnd}`)
  const [row] = await sql<{ version: number }[]>`SELECT version FROM job_schema`
  const found = row?.version ?? 0
  if (found >= jobSchemaForm) return found
  for (const statement of formsOf(dialect).slice(found).flat()) await sql.unsafe(statement)
  if (row === undefined) await sql`INSERT INTO job_schema (version) VALUES (${jobSchemaForm})`
  else await sql`UPDATE job_schema SET version = ${jobSchemaForm}`
  return jobSchemaForm
}
