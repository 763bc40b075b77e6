import type { Config } from '../../config/config.ts'
import type { ContentShelf } from '../content/content-shelf.ts'
import type { JobDatabase } from './job-database.ts'
import type { JobRoom } from './job-room.ts'

/** What one job may leave, and for how long, by the keys of the configuration. */
export type JobStoreLimits = Pick<
  Config,
  'maxJobBytes' | 'maxJobRecordBytes' | 'maxJobEvents' | 'jobRetentionMs'
>

/** What the methods of a job store work with. */
export interface JobStoreParts {
  readonly database: JobDatabase
  readonly shelf: ContentShelf
  readonly limits: JobStoreLimits
  readonly room: JobRoom
  /** Makes the id of a new job, at a time of the database. */
  readonly makeId: (nowMs: number) => string
}
