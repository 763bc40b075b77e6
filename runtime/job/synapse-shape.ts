import type { Job, JobMetrics, JobProgress, JobState } from './job.ts'

/** What a Synapse backend may be told of a job by `PATCH jobs/{id}/`; what is left out stays as it is. */
export interface SynapseJobPatch {
  readonly status?: SynapseStatus
  readonly progress_record?: object
  readonly metrics_record?: object
  readonly result?: object
}

/** The states of a job as Synapse calls them. */
export type SynapseStatus = 'pending' | 'running' | 'stopped' | 'succeeded' | 'failed'

/** An entry of `POST logs/`. */
export interface SynapseLog {
  readonly event: string
  readonly data: unknown
  readonly datetime: string
  readonly job: string
}

const statuses: Readonly<Record<JobState, SynapseStatus>> = {
  queued: 'pending',
  running: 'running',
  succeeded: 'succeeded',
  failed: 'failed',
  cancelled: 'stopped',
}

/** The most bytes of a result that are told: a backend keeps it in the row of its job. */
const longestResult = 1_048_576

/** The state of a job as Synapse calls it. */
export function synapseStatus(state: JobState): SynapseStatus {
  return statuses[state]
}

/**
 * Progress as the Synapse SDK's job logger writes it. Its steps are our categories or steps; `proportion` is a step's
 * share of the whole in percent. The overall figure is the job's own, which is right, as that of the SDK is not.
 */
export function synapseProgress(
  { overall, current, categories }: JobProgress,
  weights: Readonly<Record<string, number>>,
): object {
  const sum = Object.values(weights).reduce((total, weight) => total + weight, 0)
  const steps = Object.entries(categories).map(([name, { percent, timeRemainingSeconds }]) => {
    const weight = Object.hasOwn(weights, name) ? weights[name] : undefined
    const share = weight === undefined || sum === 0 ? {} : { proportion: Math.round((weight / sum) * 100) }
    return [name, { percent, time_remaining: timeRemainingSeconds, ...share }]
  })
  const latest = current !== null && Object.hasOwn(categories, current) ? categories[current] : undefined
  return {
    record: { steps: Object.fromEntries(steps) },
    current_progress: {
      overall: round(overall),
      ...(latest && {
        step: current,
        percent: latest.percent,
        time_remaining: latest.timeRemainingSeconds,
      }),
    },
  }
}

/** Metrics as the Synapse SDK's job logger writes them: all there are, since the record takes the place of the last. */
export function synapseMetrics(metrics: JobMetrics): object {
  return { record: { steps: metrics } }
}

/** An entry of the log as the Synapse SDK's job logger writes it, in the time of this machine's zone. */
export function synapseLog(job: string, atMs: number, event: string, data: unknown): SynapseLog {
  return { event, data, datetime: localTime(new Date(atMs)), job }
}

/**
 * The result of a job as Synapse keeps it: an object, in the SDK's words where steps made it. `null` where there is
 * nothing to tell, as of a cancelled one.
 */
export function synapseResult({ state, error }: Pick<Job, 'state' | 'error'>, value: unknown): object | null {
  if (state === 'failed') return { success: false, error: error?.message ?? 'The job failed.' }
  if (state !== 'succeeded') return null
  const result = isRecord(value) ? (inWordsOfSteps(value) ?? value) : { result: value ?? null }
  const bytes = Buffer.byteLength(JSON.stringify(result))
  return bytes <= longestResult ? result : { result: null, bytes }
}

/** What steps give by themselves; `null` where it is something else. */
function inWordsOfSteps(value: Readonly<Record<string, unknown>>): object | null {
  const { success, stepsExecuted, stepsTotal, processedCount, results, ...others } = value
  const counts = [stepsExecuted, stepsTotal, processedCount]
  if (Object.keys(others).length > 0 || typeof success !== 'boolean') return null
  if (!counts.every((count) => typeof count === 'number')) return null
  return {
    success,
    steps_executed: stepsExecuted,
    steps_total: stepsTotal,
    processed_count: processedCount,
    ...(results === undefined ? {} : { results }),
  }
}

/** `2026-01-31 09:05:07.123000`, as Python writes a time without a zone. */
function localTime(time: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  const date = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join('-')
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':')
  return `${date} ${clock}.${String(time.getMilliseconds()).padStart(3, '0')}000`
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
