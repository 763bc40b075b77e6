import type { Config } from '../config/config.ts'
import type { LogLevel } from '../observe/log-line.ts'

/** What of the configuration says where jobs are kept, and how much of them. Plain data: it crosses to a thread. */
export type JobSettings = Pick<
  Config,
  'jobStoreUrl' | 'jobFilesUrl' | 'maxJobBytes' | 'maxJobRecordBytes' | 'maxJobEvents' | 'jobRetentionMs'
>

/** What the thread of the jobs' store is started with. */
export interface JobsData {
  /** The folder of what is kept on this machine. */
  readonly directory: string
  readonly settings: JobSettings
  readonly logLevel: LogLevel
}

/** Takes out of a configuration what says where jobs are kept, and how much of them. */
export function jobSettingsOf(config: Config): JobSettings {
  const { jobStoreUrl, jobFilesUrl, maxJobBytes, maxJobRecordBytes, maxJobEvents, jobRetentionMs } = config
  return { jobStoreUrl, jobFilesUrl, maxJobBytes, maxJobRecordBytes, maxJobEvents, jobRetentionMs }
}
