import type { Job } from '../../runtime/job/job.ts'

/** A job that was submitted just now, with other facts where they are given. */
export function sampleJob(facts: Partial<Job> = {}): Job {
  return {
    id: 'job_0123456789ABCDEFGHJKMNPQRS',
    function: 'evaluate',
    category: null,
    principal: 'tenant:a',
    state: 'queued',
    createdMs: 1,
    startedMs: null,
    endedMs: null,
    expiresMs: null,
    attempt: 0,
    cancelRequested: false,
    rollingBack: false,
    steps: [],
    progress: { overall: 0, current: null, categories: {} },
    metrics: {},
    files: [],
    error: null,
    result: null,
    ...facts,
  }
}
