import type { JobFileFacts } from '../define/action-context.ts'
import type { WireError } from '../error/wire.ts'

/** The states of a job. It is `queued`, then `running`, then ends; a death takes it back to `queued`. */
export const jobStates = ['queued', 'running', 'succeeded', 'failed', 'cancelled'] as const

/** One of the states of a job. */
export type JobState = (typeof jobStates)[number]

/** The states from which a job never comes back. */
export type EndState = 'succeeded' | 'failed' | 'cancelled'

/** How far a job is. */
export interface JobProgress {
  /** From 0 to 100; never less than before, and 100 exactly when the job has succeeded. */
  readonly overall: number
  /** The category, or the step, that was reported last; `null` before any was. */
  readonly current: string | null
  readonly categories: Readonly<Record<string, CategoryProgress>>
}

/** The overall progress that a job comes to at most before it has succeeded. */
export const highestUnfinished = 99.99

/** How far a category, or a step, is. */
export interface CategoryProgress {
  readonly current: number
  readonly total: number
  /** From 0 to 100, with two digits. */
  readonly percent: number
  /** As the pace so far has it; `null` while there is none. */
  readonly timeRemainingSeconds: number | null
}

/** Metrics by category and name. */
export type JobMetrics = Readonly<Record<string, Readonly<Record<string, unknown>>>>

/** Why a job has failed, as whoever submitted it is told. */
export interface JobError extends WireError {
  /** The step that failed; `null` where there was none. */
  readonly step: string | null
  /** What went wrong in the rollback. */
  readonly rollbackErrors: readonly string[]
}

/** What a job gave. */
export interface JobResultFacts {
  /** `value` is one value, `lines` are many: lines of JSON. */
  readonly form: 'value' | 'lines'
  readonly mediaType: string
  readonly bytes: number
  /** How many values there are. */
  readonly count: number
}

/** A job as it is seen from outside. Plain data, and no secret in it. */
export interface Job {
  /** `job_` and 26 letters and digits; later jobs sort after earlier ones, and none can be guessed. */
  readonly id: string
  /** The action's name. */
  readonly function: string
  readonly category: string | null
  readonly principal: string
  readonly state: JobState
  /** Times in milliseconds since 1970. */
  readonly createdMs: number
  readonly startedMs: number | null
  readonly endedMs: number | null
  /** When it is forgotten; `null` while it has not ended. */
  readonly expiresMs: number | null
  /** How often it has been begun. */
  readonly attempt: number
  readonly cancelRequested: boolean
  /** Whether its steps are being rolled back. */
  readonly rollingBack: boolean
  /** The steps that have been recorded, in their order. */
  readonly steps: readonly JobStep[]
  readonly progress: JobProgress
  readonly metrics: JobMetrics
  readonly files: readonly JobFileFacts[]
  readonly error: JobError | null
  readonly result: JobResultFacts | null
}

/** A recorded step as it is seen from outside. */
export interface JobStep {
  readonly name: string
  readonly state: 'done' | 'skipped' | 'failed' | 'rolled-back'
  readonly endedMs: number
}

/** Whether a job in this state has ended. */
export function isEnded(state: JobState): state is EndState {
  return state !== 'queued' && state !== 'running'
}
