import type { ContentShelf } from '../content/content-shelf.ts'
import type { JobStore } from '../store.ts'
import { cancelJob, finishJob } from './ending.ts'
import { readEvents } from './event-log.ts'
import { fetchContent, keepFile, readContent } from './job-contents.ts'
import { type JobDatabasePlace, openJobDatabase } from './job-database.ts'
import { createJobIdMaker, isJobId } from './job-id.ts'
import { createJobRoom } from './job-room.ts'
import { countQueued, getJob, listJobs } from './job-view.ts'
import { endLeases, releaseJob, renewLease, takeJob } from './leases.ts'
import { reportJob } from './report.ts'
import { sweepJobs } from './retention.ts'
import { beginRollback, beginStep, recordRollback, recordStep, saveCheckpoint } from './step-table.ts'
import type { JobStoreLimits, JobStoreParts } from './store-parts.ts'
import { submitJob } from './submission.ts'

/** What {@link openJobStore} takes. */
export interface JobStoreOptions {
  readonly database: JobDatabasePlace
  /** Where contents lie. It is the caller's to close. */
  readonly shelf: ContentShelf
  readonly limits: JobStoreLimits
  /** Whether nobody else can have it open, so that all leases are those of the dead. @default false */
  readonly sole?: boolean
}

/**
 * Opens the store of the jobs. Several servers may open one on PostgreSQL; a file of SQLite is for one server alone,
 * since what its rows name lies on that server's shelf.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` where the database holds something else, or the jobs of a newer isoplex,
 * `STORAGE_FULL`. A server of databases that does not answer yet is none to wait for: methods throw then, and work once
 * it answers.
 */
export async function openJobStore(options: JobStoreOptions): Promise<JobStore> {
  const { database: place, shelf, limits, sole = false } = options
  const database = await openJobDatabase(place)
  const parts: JobStoreParts = Object.freeze({
    database,
    shelf,
    limits,
    room: createJobRoom(),
    makeId: createJobIdMaker(),
  })
  if (sole) {
    await endLeases(parts).catch(async (error: unknown) => {
      await database.close()
      throw error
    })
  }
  return Object.freeze({
    submit: (job, jobLimits) => submitJob(parts, job, jobLimits),
    get: (id, viewer) => getJob(parts, id, viewer),
    list: (query) => listJobs(parts, query),
    events: (id, afterSeq, limit) =>
      database.read(async (sql) => (isJobId(id) ? await readEvents(sql, id, afterSeq, limit) : [])),
    read: (id, content, offset, maxBytes) => readContent(parts, id, content, offset, maxBytes),
    cancel: (id, viewer) => cancelJob(parts, id, viewer),
    take: (options) => takeJob(parts, options),
    renew: (lease, leaseMs) => renewLease(parts, lease, leaseMs),
    release: (lease, how) => releaseJob(parts, lease, how),
    beginStep: (lease, name) => beginStep(parts, lease, name),
    recordStep: (lease, record, fields, next) => recordStep(parts, lease, record, fields, next),
    saveCheckpoint: (lease, value) => saveCheckpoint(parts, lease, value),
    beginRollback: (lease, end) => beginRollback(parts, lease, end),
    recordRollback: (lease, step, error) => recordRollback(parts, lease, step, error),
    keepFile: (lease, file) => keepFile(parts, lease, file),
    fetch: (lease, content, path) => fetchContent(parts, lease, content, path),
    report: (lease, report) => reportJob(parts, lease, report),
    finish: (lease, end) => finishJob(parts, lease, end),
    countQueued: () => countQueued(parts),
    sweep: () => sweepJobs(parts),
    close: database.close,
  } satisfies JobStore)
}
