import type { JobStoreLimits } from '../../runtime/job/store/store-parts.ts'
import type { JobLimits, NewJob } from '../../runtime/job/store.ts'

/** Room enough for any test. */
export const wideLimits: JobLimits = { maxQueuedJobs: 100_000, maxJobsPerPrincipal: 100_000 }

/** Room enough for any test. */
export const wideStoreLimits: JobStoreLimits = {
  maxJobBytes: 1_000_000_000,
  maxJobRecordBytes: 4_000_000,
  maxJobEvents: 100_000,
  jobRetentionMs: 86_400_000,
}

/** A job that is to be submitted, with other facts where they are given. */
export function newJob(facts: Partial<NewJob> = {}): NewJob {
  return {
    function: 'evaluate',
    category: null,
    principal: 'tenant:a',
    head: {
      requestId: 'request',
      principal: 'tenant:a',
      method: 'POST',
      url: '/evaluate',
      params: {},
      contentType: 'application/json',
      accept: null,
      headers: [],
    },
    body: new TextEncoder().encode('{"count":1}'),
    credential: null,
    models: [],
    idempotencyKey: null,
    ...facts,
  }
}
