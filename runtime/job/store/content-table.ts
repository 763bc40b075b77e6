import { randomBytes } from 'node:crypto'
import type { SQL, TransactionSQL } from 'bun'
import { isIsoplexError } from '../../error/error.ts'
import type { ContentSource } from '../content/content-shelf.ts'
import type { JobContent } from '../store.ts'
import type { BigColumn } from './job-row.ts'
import { holdsNul } from './job-view.ts'
import type { JobStoreParts } from './store-parts.ts'

/** A content that is to become a job's, in the place of the one of the same kind and name. */
export interface NewContent {
  readonly jobId: string
  readonly kind: JobContent['kind']
  /** Empty, but for files. */
  readonly name: string
  readonly mediaType: string
  readonly source: ContentSource
  readonly bytes: number
}

/** Up to this size bytes that are in memory go into the row itself: a queue of small jobs needs no shelf. */
export const inlineBytes = 16_384

/**
 * Puts a content on the shelf, then runs a transaction that is to call `place` for its row. What that row replaces is
 * removed from the shelf afterwards, and so is the content where the transaction was refused or did not place it.
 */
export async function placeContent<Result>(
  { shelf }: JobStoreParts,
  content: NewContent,
  transact: (place: (sql: TransactionSQL) => Promise<void>) => Promise<Result>,
): Promise<Result> {
  const { source } = content
  const inline = 'bytes' in source && source.bytes.byteLength <= inlineBytes ? source.bytes : null
  const key = inline === null ? `${content.jobId}/${randomBytes(16).toString('hex')}` : null
  if (key !== null) await shelf.put(source, key)
  let unused = key === null ? [] : [key]
  try {
    return await transact(async (sql) => {
      const replaced = await upsertContent(sql, content, { key, inline })
      unused = replaced === null ? [] : [replaced]
    })
  } catch (error) {
    // Without an answer from the database the row may be there all the same.
    unused = key !== null && isIsoplexError(error) && error.code !== 'JOB_STORE_UNAVAILABLE' ? [key] : []
    throw error
  } finally {
    // What stays is found by the sweep.
    if (unused.length > 0) await shelf.remove(unused).catch(() => {})
  }
}

interface ContentPlace {
  readonly key: string | null
  readonly inline: Uint8Array | null
}

async function upsertContent(
  sql: TransactionSQL,
  { jobId, kind, name, mediaType, bytes }: NewContent,
  { key, inline }: ContentPlace,
): Promise<string | null> {
  const [replaced] = await sql<{ shelf_key: string | null }[]>`
    DELETE FROM job_content WHERE job_id = ${jobId} AND kind = ${kind} AND name = ${name} RETURNING shelf_key`
  const columns = {
    job_id: jobId,
    kind,
    name,
    media_type: mediaType,
    size_bytes: bytes,
    shelf_key: key,
    bytes: inline,
  }
  await sql`INSERT INTO job_content ${sql(columns)}`
  return replaced?.shelf_key ?? null
}

/** A content as its row has it: on the shelf under a key, or the bytes themselves. */
export interface PlacedContent {
  readonly key: string | null
  readonly inline: Uint8Array<ArrayBuffer>
  readonly mediaType: string
  readonly bytes: number
}

/** Where a content of a job is; `null` where there is none. */
export async function findContent(
  sql: SQL,
  jobId: string,
  content: JobContent,
): Promise<PlacedContent | null> {
  if (holdsNul(jobId, nameOf(content))) return null
  const [row] = await sql<ContentRow[]>`
    SELECT shelf_key, bytes, media_type, size_bytes FROM job_content
    WHERE job_id = ${jobId} AND kind = ${content.kind} AND name = ${nameOf(content)}`
  if (row === undefined) return null
  return {
    key: row.shelf_key,
    // A copy: what the driver gives may be a part of a larger buffer.
    inline: new Uint8Array(row.bytes ?? []),
    mediaType: row.media_type,
    bytes: Number(row.size_bytes),
  }
}

interface ContentRow {
  readonly shelf_key: string | null
  readonly bytes: Uint8Array | null
  readonly media_type: string
  readonly size_bytes: BigColumn
}

function nameOf(content: JobContent): string {
  return content.kind === 'file' ? content.name : ''
}

/** Bytes that a job leaves in files and result, less those of one content. */
export async function countOtherBytes(sql: SQL, jobId: string, content: JobContent): Promise<number> {
  const [row] = await sql<{ total: BigColumn | null }[]>`
    SELECT sum(size_bytes) AS total FROM job_content
    WHERE job_id = ${jobId} AND kind <> 'input' AND NOT (kind = ${content.kind} AND name = ${nameOf(content)})`
  return Number(row?.total ?? 0)
}

/** The keys on the shelf of which a row knows, out of some. */
export async function findNamedKeys(sql: SQL, keys: readonly string[]): Promise<ReadonlySet<string>> {
  if (keys.length === 0) return new Set()
  const rows = await sql<{ shelf_key: string }[]>`
    SELECT shelf_key FROM job_content WHERE shelf_key IN ${sql(keys)}`
  return new Set(rows.map((row) => row.shelf_key))
}
