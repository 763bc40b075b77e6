import type { JobTallies, JobTally } from '../../job/job-tallies.ts'
import type { Distribution } from '../../observe/distribution.ts'
import { addCounter, addGauge, addHistogram, type Labels, type MetricsRegistry } from './metric.ts'

/** What the metrics of jobs are read from. */
export interface JobSources {
  readonly jobs: JobTallies
  /** Has it asked how many jobs wait, and noted among {@link jobs}; takes a second at most, and never fails. */
  readonly surveyJobs: () => Promise<void>
}

/** Adds what has become of jobs on this server, action by action. */
export function addJobMetrics(registry: MetricsRegistry, { jobs }: JobSources): void {
  const each = <Value>(choose: (tally: JobTally) => Value): (readonly [Labels, Value])[] =>
    jobs.all.map((tally) => [{ function: tally.function }, choose(tally)])
  addCounter(registry, {
    name: 'isoplex_job_submission_total',
    help: 'Jobs that were submitted here.',
    labels: ['function'],
    read: () => each(({ submitted }) => submitted),
  })
  addGauge(registry, {
    name: 'isoplex_job_running_count',
    help: 'Jobs that run here.',
    labels: ['function'],
    read: () => each(({ running }) => running),
  })
  addGauge(registry, {
    name: 'isoplex_job_queued_count',
    help: 'Jobs that wait, on whichever server they will run.',
    labels: ['function'],
    read: () => each(({ queued }) => queued),
  })
  addCounter(registry, {
    name: 'isoplex_job_end_total',
    help: 'Jobs that have run and ended here, by what they ended as.',
    labels: ['function', 'state'],
    read: () =>
      jobs.all.flatMap(({ function: name, ended }) =>
        [...ended.entries].map(([state, count]) => [{ function: name, state }, count] as const),
      ),
  })
  const distribution = (name: string, help: string, choose: (tally: JobTally) => Distribution): void =>
    addHistogram(registry, { name, help, labels: ['function'], read: () => each(choose) })
  distribution(
    'isoplex_job_queue_duration_seconds',
    'From the submission of a job to its first beginning, of jobs that began here.',
    ({ queueSeconds }) => queueSeconds,
  )
  distribution(
    'isoplex_job_duration_seconds',
    'From the first beginning of a job to its end, of jobs that ended here.',
    ({ runSeconds }) => runSeconds,
  )
}
