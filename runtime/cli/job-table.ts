import type { Job, JobProgress } from '../job/job.ts'
import { formatCategory, formatSeconds, printable } from './job-lines.ts'
import { formatBytes, formatTable } from './output.ts'

/** Jobs as people read them. */
export function formatJobs(jobs: readonly Job[], nowMs: number): string {
  if (jobs.length === 0) return 'No jobs.'
  const rows = jobs.map((job) => [
    job.id,
    printable(job.function),
    stateOf(job),
    percentOf(job.progress),
    `${formatSeconds(Math.max(0, (nowMs - job.createdMs) / 1_000))} ago`,
    tookOf(job, nowMs),
    printable(job.principal),
  ])
  return formatTable([['JOB', 'FUNCTION', 'STATE', 'DONE', 'SUBMITTED', 'TOOK', 'PRINCIPAL'], ...rows])
}

/** A job as people read it, with all that is known of it. */
export function formatJob(job: Job, nowMs: number): string {
  const { error, result, progress } = job
  const facts = [
    ['job', job.id],
    ['function', printable(job.function)],
    ['principal', printable(job.principal)],
    ['state', stateOf(job)],
    ['submitted', timeOf(job.createdMs)],
    ['started', timeOf(job.startedMs)],
    ['ended', timeOf(job.endedMs)],
    ['took', tookOf(job, nowMs)],
    ['attempts', String(job.attempt)],
    ['done', percentOf(progress)],
    ...Object.entries(progress.categories).map(([name, category]) => [
      `  ${printable(name)}`,
      formatCategory(category),
    ]),
    ...job.steps.map(({ name, state }) => [`step ${printable(name)}`, state]),
    ...Object.entries(job.metrics).map(([category, values]) => [
      `metrics of ${printable(category)}`,
      printable(JSON.stringify(values)),
    ]),
    ...job.files.map(({ name, bytes }) => [`file ${printable(name)}`, formatBytes(bytes)]),
    ...(result === null
      ? []
      : [['result', `${result.count} of ${printable(result.mediaType)}, ${formatBytes(result.bytes)}`]]),
    ...(error === null ? [] : [['error', `${error.code}: ${printable(error.message)}`]]),
    ...(error?.rollbackErrors ?? []).map((text) => ['in the rollback', printable(text)]),
  ]
  return formatTable(facts)
}

function stateOf({ state, rollingBack, cancelRequested }: Job): string {
  if (state !== 'running' && state !== 'queued') return state
  if (rollingBack) return `${state}, rolling back`
  return cancelRequested ? `${state}, to be cancelled` : state
}

function percentOf({ overall }: JobProgress): string {
  return `${Math.floor(overall)} %`
}

function tookOf({ startedMs, endedMs }: Job, nowMs: number): string {
  return startedMs === null ? '-' : formatSeconds(Math.max(0, ((endedMs ?? nowMs) - startedMs) / 1_000))
}

function timeOf(timeMs: number | null): string {
  return timeMs === null ? '-' : new Date(timeMs).toISOString()
}
