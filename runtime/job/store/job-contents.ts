import { readFile, stat, writeFile } from 'node:fs/promises'
import type { SQL } from 'bun'
import { IsoplexError } from '../../error/error.ts'
import type { ContentSource } from '../content/content-shelf.ts'
import { isEnded, type JobError, type JobState } from '../job.ts'
import type { ContentPiece, FileToKeep, JobContent, Lease } from '../store.ts'
import {
  countOtherBytes,
  findContent,
  inlineBytes,
  type PlacedContent,
  placeContent,
} from './content-table.ts'
import { changeLeased, type HeldJob, type JobChange } from './job-change.ts'
import { isJobId } from './job-id.ts'
import { jobNotFound } from './job-view.ts'
import { assertWithin } from './record-limit.ts'
import type { JobStoreParts } from './store-parts.ts'

/** A file of this machine that is to become a content of a job. */
export interface ContentToKeep {
  readonly kind: 'file' | 'result'
  readonly name: string
  readonly mediaType: string
  readonly path: string
}

/**
 * Keeps a file as a content of a job, in the transaction that also changes the job as `work` says.
 *
 * @throws {IsoplexError} `LEASE_LOST`, `JOB_TOO_LARGE`, `STORAGE_FULL`.
 */
export async function keepContent(
  parts: JobStoreParts,
  lease: Lease,
  content: ContentToKeep,
  work: (job: HeldJob, bytes: number) => Promise<JobChange<undefined>>,
): Promise<void> {
  const { kind, name, mediaType, path } = content
  const bytes = (await stat(path)).size
  // Now, for the sake of the shelf; and again where nothing can come between.
  await parts.database.read((sql) => assertRoomFor(parts, sql, lease.jobId, content, bytes))
  const source: ContentSource =
    bytes <= inlineBytes ? { bytes: new Uint8Array(await readFile(path)) } : { path }
  await placeContent(parts, { jobId: lease.jobId, kind, name, mediaType, source, bytes }, (place) =>
    changeLeased(parts, lease, async (job) => {
      await assertRoomFor(parts, job.sql, lease.jobId, content, bytes)
      await place(job.sql)
      return await work(job, bytes)
    }),
  )
}

async function assertRoomFor(
  { limits }: JobStoreParts,
  sql: SQL,
  jobId: string,
  content: ContentToKeep,
  bytes: number,
): Promise<void> {
  const others = await countOtherBytes(sql, jobId, content)
  const what =
    content.kind === 'file'
      ? `With the file "${content.name}", what the job leaves`
      : 'With its result, what the job leaves'
  assertWithin(others + bytes, limits.maxJobBytes, what, 'leave less, or raise maxJobBytes')
}

/** As `JobStore.keepFile`. */
export function keepFile(parts: JobStoreParts, lease: Lease, file: FileToKeep): Promise<void> {
  const { name, mediaType } = file
  return keepContent(parts, lease, { ...file, kind: 'file' }, async ({ nowMs }, bytes) => ({
    answer: undefined,
    events: [{ atMs: nowMs, kind: 'file', data: { name, mediaType, bytes } }],
  }))
}

/** As `JobStore.read`. */
export function readContent(
  parts: JobStoreParts,
  id: string,
  content: JobContent,
  offset: number,
  maxBytes: number,
): Promise<ContentPiece> {
  return withContent(parts, id, content, async ({ key, inline, mediaType, bytes: totalBytes }) => ({
    bytes:
      key === null ? inline.slice(offset, offset + maxBytes) : await parts.shelf.read(key, offset, maxBytes),
    mediaType,
    totalBytes,
  }))
}

/** As `JobStore.fetch`. */
export async function fetchContent(
  parts: JobStoreParts,
  lease: Lease,
  content: JobContent,
  path: string,
): Promise<void> {
  await changeLeased(parts, lease, async () => ({ answer: undefined }))
  await withContent(parts, lease.jobId, content, ({ key, inline }) =>
    key === null ? writeFile(path, inline, { mode: 0o600 }) : parts.shelf.fetch(key, path),
  )
}

/** Works with a content; again where it was replaced meanwhile. */
async function withContent<Result>(
  { database }: JobStoreParts,
  id: string,
  content: JobContent,
  work: (placed: PlacedContent) => Promise<Result>,
): Promise<Result> {
  const find = () => database.read((sql) => findContent(sql, id, content))
  for (let placed = await find(); placed !== null; ) {
    try {
      return await work(placed)
    } catch (error) {
      const later = await find()
      if (later?.key === placed.key) throw error
      placed = later
    }
  }
  throw await database.read((sql) => absenceOf(sql, id, content))
}

async function absenceOf(sql: SQL, id: string, content: JobContent): Promise<IsoplexError> {
  if (!isJobId(id)) return jobNotFound()
  const [row] = await sql<
    { state: JobState; error: string | null }[]
  >`SELECT state, error FROM job WHERE id = ${id}`
  if (row === undefined) return jobNotFound()
  const what = content.kind === 'file' ? 'this file' : `a ${content.kind}`
  if (!isEnded(row.state)) {
    return new IsoplexError('JOB_UNFINISHED', `The job does not have ${what} yet; it is ${row.state}.`)
  }
  const code = row.error === null ? null : (JSON.parse(row.error) as JobError).code
  return new IsoplexError('JOB_ENDED', `The job has ended as ${row.state}, without ${what}.`, {
    details: { state: row.state, code },
  })
}
