import { expect, it } from 'vitest'
import { formatJob, formatJobs } from '../../runtime/cli/job-table.ts'
import type { Job } from '../../runtime/job/job.ts'

const category = { current: 1, total: 2, percent: 50, timeRemainingSeconds: 3 }
const job: Job = {
  id: 'job_1',
  function: 'evaluate',
  category: null,
  principal: 'tenant:acme',
  state: 'running',
  createdMs: 0,
  startedMs: 10_000,
  endedMs: null,
  expiresMs: null,
  attempt: 2,
  cancelRequested: false,
  rollingBack: false,
  steps: [{ name: 'fetch', state: 'done', endedMs: 0 }],
  progress: { overall: 40.5, current: 'inference', categories: { inference: category } },
  metrics: { inference: { accuracy: 0.5 } },
  files: [{ name: 'a.csv', mediaType: 'text/csv', bytes: 1_200 }],
  error: null,
  result: null,
}

it('lists jobs with their state, age and time', () => {
  const [head, row] = formatJobs([job], 30_000).split('\n')
  expect(head).toMatch(/^JOB +FUNCTION +STATE +DONE +SUBMITTED +TOOK +PRINCIPAL$/)
  expect(row).toMatch(/^job_1 +evaluate +running +40 % +30 s ago +20 s +tenant:acme$/)
})

it('says that there are none', () => {
  expect(formatJobs([], 0)).toBe('No jobs.')
})

it.each([
  [{ rollingBack: true, cancelRequested: true }, 'running, rolling back'],
  [{ cancelRequested: true }, 'running, to be cancelled'],
  [{ state: 'cancelled', cancelRequested: true }, 'cancelled'],
  [{ state: 'queued', startedMs: null }, 'queued '],
] as const)('tells the state of %j', (change, text) => {
  expect(formatJobs([{ ...job, ...change }], 0)).toContain(text)
})

it('shows all of a job', () => {
  const text = formatJob(job, 30_000)
  for (const line of [
    /^started +1970-01-01T00:00:10.000Z$/m,
    /^ended +-$/m,
    /^attempts +2$/m,
    /^ {2}inference +1\/2, 3 s left$/m,
    /^step fetch +done$/m,
    /^metrics of inference +\{"accuracy":0.5\}$/m,
    /^file a.csv +1.2 KB$/m,
  ]) {
    expect(text).toMatch(line)
  }
})

it('shows what a job gave, and why one failed', () => {
  const result = { form: 'lines', mediaType: 'application/x-ndjson', bytes: 10, count: 3 } as const
  expect(formatJob({ ...job, state: 'succeeded', result }, 0)).toMatch(
    /^result +3 of application\/x-ndjson, 10 B$/m,
  )
  const error = { code: 'STEP_FAILED', message: 'No\u001b[1m room.', step: 'a', rollbackErrors: ['Not so.'] }
  const failed = formatJob({ ...job, state: 'failed', error: { ...error, code: 'STEP_FAILED' } }, 0)
  expect(failed).toMatch(/^error +STEP_FAILED: No \[1m room.$/m)
  expect(failed).toMatch(/^in the rollback +Not so.$/m)
})
