import type { TransactionSQL } from 'bun'

/** What is remembered of a job that has not ended: the shared fields of its steps, and the checkpoint. JSON. */
export type MemoryKind = 'fields' | 'checkpoint'

/** Remembers a value as JSON, in the place of the one before; `undefined` forgets that. */
export async function writeMemory(
  sql: TransactionSQL,
  jobId: string,
  kind: MemoryKind,
  value: string | undefined,
): Promise<void> {
  if (value === undefined) {
    await sql`DELETE FROM job_memory WHERE job_id = ${jobId} AND kind = ${kind}`
    return
  }
  await sql`
    INSERT INTO job_memory ${sql({ job_id: jobId, kind, value })}
    ON CONFLICT (job_id, kind) DO UPDATE SET value = excluded.value`
}

/** What is remembered of a job. */
export async function readMemory(
  sql: TransactionSQL,
  jobId: string,
): Promise<{ readonly fields: unknown; readonly checkpoint: unknown }> {
  const rows = await sql<{ kind: MemoryKind; value: string }[]>`
    SELECT kind, value FROM job_memory WHERE job_id = ${jobId}`
  const values = new Map(rows.map(({ kind, value }) => [kind, JSON.parse(value) as unknown]))
  return { fields: values.get('fields') ?? null, checkpoint: values.get('checkpoint') }
}
