import { expect, it } from 'vitest'
import { readMetrics, sourcesOf } from './metrics-sources.ts'

it('tells what has become of jobs, action by action', async () => {
  using sources = sourcesOf()
  const tally = sources.jobs.of('evaluate')
  tally.submitted = 5
  tally.running = 2
  tally.queued = 7
  tally.ended.add('succeeded')
  tally.ended.add('failed')
  tally.ended.add('failed')
  tally.queueSeconds.add(0.2)
  tally.runSeconds.add(20)
  const { values } = await readMetrics(sources)
  expect(values.get('isoplex_job_submission_total{function="evaluate"}')).toBe(5)
  expect(values.get('isoplex_job_running_count{function="evaluate"}')).toBe(2)
  expect(values.get('isoplex_job_queued_count{function="evaluate"}')).toBe(7)
  expect(values.get('isoplex_job_end_total{function="evaluate",state="succeeded"}')).toBe(1)
  expect(values.get('isoplex_job_end_total{function="evaluate",state="failed"}')).toBe(2)
  expect(values.get('isoplex_job_queue_duration_seconds_sum{function="evaluate"}')).toBe(0.2)
  expect(values.get('isoplex_job_duration_seconds_bucket{function="evaluate",le="30"}')).toBe(1)
  expect(values.get('isoplex_job_duration_seconds_bucket{function="evaluate",le="10"}')).toBe(0)
})

it('tells nothing where there are no jobs', async () => {
  using sources = sourcesOf()
  expect((await readMetrics(sources)).text).not.toMatch(/^isoplex_job_\w+[{ ]/m)
})
