import type { ContentShelf } from '../content/content-shelf.ts'
import type { EventLimits } from './event-log.ts'
import type { JobDatabase } from './job-database.ts'

/** What one job may leave, and for how long. */
export interface JobStoreLimits extends EventLimits {
  /** Bytes of files and result of one job. */
  readonly maxJobBytes: number
  /** Bytes of what one step or checkpoint records, as JSON. */
  readonly maxRecordBytes: number
  /** Time after which an ended job is forgotten. */
  readonly retentionMs: number
}

/** What the methods of a job store work with. */
export interface JobStoreParts {
  readonly database: JobDatabase
  readonly shelf: ContentShelf
  readonly limits: JobStoreLimits
  /** Makes the id of a new job, at a time of the database. */
  readonly makeId: (nowMs: number) => string
}
