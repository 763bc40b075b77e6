import { expect, it } from 'vitest'
import type { JobEvent, JobEventKind } from '../../runtime/job/event.ts'
import type { Job } from '../../runtime/job/job.ts'
import { connectSynapse } from '../../runtime/job/synapse-connection.ts'
import { SynapseReport } from '../../runtime/job/synapse-report.ts'
import { until } from '../support/server.ts'
import { type RecordingBackend, startRecordingBackend, status } from './synapse-backend.ts'

const category = { current: 1, total: 2, percent: 50, timeRemainingSeconds: 3 }
const progress = { overall: 40, current: 'inference', categories: { inference: category } }
const succeeded: Pick<Job, 'state' | 'error' | 'endedMs' | 'progress'> = {
  state: 'succeeded',
  error: null,
  endedMs: 5,
  progress: { ...progress, overall: 100 },
}

function event(kind: JobEventKind, data: JobEvent['data']): JobEvent {
  return { seq: 1, atMs: 0, kind, data }
}

function open({ url }: RecordingBackend, options: { gatherMs?: number; flushMs?: number } = {}) {
  const warnings: string[] = []
  const job = { id: '7', url, accessToken: 'very-secret', tenant: null }
  const report = new SynapseReport({
    jobId: '7',
    connection: connectSynapse(job, 'access-token'),
    weights: { inference: 1 },
    warn: (text) => warnings.push(text),
    gatherMs: 20,
    ...options,
  })
  return { report, warnings }
}

it('tells all of a job, and the end last', async () => {
  using backend = startRecordingBackend()
  const { report, warnings } = open(backend)
  report.take(event('state', { state: 'queued', attempt: 0 }))
  report.take(event('state', { state: 'running', attempt: 1 }))
  report.take(event('progress', progress))
  report.take(event('metrics', { category: 'inference', values: { accuracy: 0.4, loss: 1 } }))
  report.take(event('metrics', { category: 'inference', values: { accuracy: 0.5 } }))
  report.take(event('log', { event: 'begun', data: { count: 2 } }))
  report.take(event('message', { level: 'warning', message: 'careful' }))
  report.take(event('step', { step: 'fetch', state: 'done' }))
  report.take(event('dropped', { count: 3 }))
  await until(() => backend.job.status === 'running')
  expect(backend.job).toEqual({
    status: 'running',
    progress_record: {
      record: { steps: { inference: { percent: 50, time_remaining: 3, proportion: 100 } } },
      current_progress: { overall: 40, step: 'inference', percent: 50, time_remaining: 3 },
    },
    metrics_record: { record: { steps: { inference: { accuracy: 0.5, loss: 1 } } } },
  })
  expect(backend.logs.map(({ event: name, data, job }) => ({ name, data, job }))).toEqual([
    { name: 'begun', data: { count: 2 }, job: '7' },
    { name: 'message', data: { context: 'warning', content: 'careful' }, job: '7' },
    { name: 'dropped', data: { count: 3 }, job: '7' },
  ])
  report.take(event('state', { state: 'succeeded', attempt: 1 }))
  await report.end(succeeded, { mean: 1 })
  expect(backend.job).toMatchObject({ status: 'succeeded', result: { mean: 1 } })
  expect(backend.job.progress_record.current_progress.overall).toBe(100)
  expect(warnings).toEqual([])
})

it('gathers what comes close together into few requests', async () => {
  using backend = startRecordingBackend()
  const { report } = open(backend)
  for (let overall = 0; overall < 1_000; overall += 1) {
    report.take(event('progress', { ...progress, overall: overall / 10 }))
    report.take(event('log', { event: 'item', data: { overall } }))
  }
  await report.end(succeeded, null)
  expect(backend.logs.map(({ data }) => data.overall)).toEqual(Array.from({ length: 1_000 }, (_, at) => at))
  expect(backend.received.length).toBeLessThan(8)
})

it('says why a job failed, and that one was stopped', async () => {
  using backend = startRecordingBackend()
  const error = { code: 'STEP_FAILED', message: 'No room.', step: 'write', rollbackErrors: [] } as const
  await open(backend).report.end({ ...succeeded, state: 'failed', error }, undefined)
  expect(backend.job).toMatchObject({ status: 'failed', result: { success: false, error: 'No room.' } })
  expect(backend.logs[0].data).toEqual({ context: 'danger', content: 'No room.' })
  await open(backend).report.end({ ...succeeded, state: 'cancelled' }, undefined)
  expect(backend.job.status).toBe('stopped')
})

it('sends again what a busy backend did not take, with what is newest', async () => {
  using backend = startRecordingBackend()
  const { report, warnings } = open(backend)
  backend.answerNext(status(503), status(502), status(504), status(429))
  report.take(event('log', { event: 'begun', data: {} }))
  report.take(event('state', { state: 'running', attempt: 1 }))
  await report.end(succeeded, { mean: 1 })
  expect(backend.logs.map(({ event: name }) => name)).toEqual(['begun'])
  expect(backend.job).toMatchObject({ status: 'succeeded', result: { mean: 1 } })
  expect(warnings).toEqual([])
})

it('goes on when a backend that went away comes back', async () => {
  const first = startRecordingBackend()
  const { report, warnings } = open(first)
  first[Symbol.dispose]()
  report.take(event('log', { event: 'begun', data: {} }))
  report.take(event('state', { state: 'running', attempt: 1 }))
  const end = report.end(succeeded, null)
  using back = startRecordingBackend(Number(new URL(first.url).port))
  await end
  expect(back.logs).toHaveLength(1)
  expect(back.job.status).toBe('succeeded')
  expect(warnings).toEqual([])
})

it('does not hold up the end for ever, and says that it was not told', async () => {
  using backend = startRecordingBackend()
  const { report, warnings } = open(backend, { flushMs: 50 })
  backend.answerAll(() => new Promise(() => undefined))
  report.take(event('log', { event: 'begun', data: {} }))
  await report.end(succeeded, null)
  expect(warnings).toEqual([expect.stringMatching(/^The end of the job was not reported to the Synapse/)])
})

it('drops what alone is refused, says so once, and goes on', async () => {
  using backend = startRecordingBackend()
  const { report, warnings } = open(backend)
  backend.answerNext(status(400))
  report.take(event('log', { event: 'begun', data: {} }))
  await until(() => backend.received.length > 0)
  await report.end(succeeded, null)
  expect(backend.job.status).toBe('succeeded')
  expect(warnings).toEqual([expect.stringContaining('the status 400')])
})

it.each([401, 403, 404])('stops for good once it is told %i, and names no token', async (code) => {
  using backend = startRecordingBackend()
  const { report, warnings } = open(backend)
  backend.answerAll(status(code))
  report.take(event('state', { state: 'running', attempt: 1 }))
  await until(() => warnings.length > 0)
  report.take(event('log', { event: 'begun', data: {} }))
  await report.end(succeeded, null)
  expect(backend.received).toHaveLength(1)
  expect(warnings).toEqual([expect.stringMatching(/^Nothing more is reported/)])
  expect(warnings.join()).not.toContain('very-secret')
})

it('sends nothing more once it is disposed of, though the backend is away', async () => {
  using backend = startRecordingBackend()
  const { report, warnings } = open(backend)
  backend.answerAll(status(503))
  report.take(event('log', { event: 'begun', data: {} }))
  await until(() => backend.received.length > 0)
  report[Symbol.dispose]()
  const { length } = backend.received
  report.take(event('log', { event: 'later', data: {} }))
  await report.end(succeeded, null)
  expect(backend.received).toHaveLength(length)
  expect(warnings).toHaveLength(1)
})

it('passes over events that it does not understand', async () => {
  using backend = startRecordingBackend()
  const { report } = open(backend)
  report.take(event('progress', { overall: 'much' }))
  await report.end(succeeded, null)
  expect(backend.received).toHaveLength(1)
})
