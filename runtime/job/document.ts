import type { JobFileFacts } from '../define/action-context.ts'
import type { Job } from './job.ts'

/** Where the parts of a job are found: paths from the top of the server, whatever prefix its functions have. */
export interface JobLinks {
  readonly self: string
  readonly events: string
  readonly logs: string
  readonly result: string
}

/** A job as it is told over HTTP. */
export interface JobDocument extends Job {
  readonly files: readonly LinkedFile[]
  readonly links: JobLinks
}

/** A file of a job, and where it is downloaded. */
export interface LinkedFile extends JobFileFacts {
  readonly url: string
}

/** What `GET /-/jobs` answers: jobs, the newest first. */
export interface JobListDocument {
  readonly jobs: readonly JobDocument[]
  /** Where older ones are found; `null` where there are none. */
  readonly links: { readonly next: string | null }
}

/** The path of a job. */
export function jobPath(id: string): string {
  return `/-/jobs/${id}`
}

/** A job with links to its parts. */
export function toJobDocument(job: Job): JobDocument {
  const self = jobPath(job.id)
  return {
    ...job,
    files: job.files.map((file) => ({ ...file, url: `${self}/files/${file.name}` })),
    links: { self, events: `${self}/events`, logs: `${self}/logs`, result: `${self}/result` },
  }
}
