import type { Job, JobState } from '../job/job.ts'
import { senseless } from '../runner/reply-bytes.ts'
import { readReply } from '../runner/reply-value.ts'
import { queryOf } from '../runner/url-text.ts'
import { fillPath } from './address.ts'
import type { ClientFacts } from './errand.ts'
import type { ReplyReader } from './http-transport.ts'
import { createJobHandle, type JobHandle, type JobOptions, within } from './job-handle.ts'
import { askJobs, readJob, toJob } from './job-request.ts'

/** Which jobs are listed. */
export interface JobListOptions extends JobOptions {
  readonly state?: JobState | undefined
  /** The name of an action. */
  readonly function?: string | undefined
  /** Those older than the job with this id. */
  readonly before?: string | undefined
  readonly limit?: number | undefined
}

/** The jobs of whom the token stands for. */
export interface Jobs {
  /** A handle of a job that was submitted before. @throws {IsoplexError} `JOB_NOT_FOUND` */
  get(id: string, options?: JobOptions): Promise<JobHandle>
  /** The newest first. */
  list(options?: JobListOptions): Promise<readonly Job[]>
}

/** Makes the list of jobs of one client. */
export function createJobs(client: ClientFacts): Jobs {
  return {
    get: (id, options) =>
      within(client, options, async (deadline) =>
        createJobHandle(
          client,
          await askJobs(client, { path: fillPath('/{id}', { id }), read: readJob }, deadline),
        ),
      ),
    list: ({ signal, timeoutMs, ...query } = {}) =>
      within(client, { signal, timeoutMs }, (deadline) =>
        askJobs(client, { path: queryOf(query), read: readList }, deadline),
      ),
  }
}

const readList: ReplyReader<readonly Job[]> = async (response, reading) => {
  const { jobs } = ((await readReply(response, reading)).value ?? {}) as { readonly jobs?: unknown }
  if (!Array.isArray(jobs)) throw senseless('is no list of jobs', reading)
  return jobs.map((job) => toJob(job, reading))
}
