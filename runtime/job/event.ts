/** What is told of a job while it goes on. `dropped` stands for events beyond the limits. */
export type JobEventKind = 'state' | 'step' | 'progress' | 'metrics' | 'log' | 'message' | 'file' | 'dropped'

/**
 * Something that happened to a job. By kind, `data` is: `state` `{ state, attempt, error }`; `step` `{ step, state }`
 * with the state `started`, `done`, `skipped`, `failed`, `rolled-back` or `rollback-failed`; `progress` a
 * `JobProgress`; `metrics` `{ category, values }`; `log` `{ event, data }`; `message` `{ level, message }`; `file` the
 * file's facts; `dropped` `{ count }`.
 */
export interface JobEvent {
  /**
   * Ascends from 1 within its job: what `Last-Event-ID` counts. Of `progress` only the newest event is kept, so that there
   * are gaps where earlier ones were.
   */
  readonly seq: number
  /** In milliseconds since 1970. */
  readonly atMs: number
  readonly kind: JobEventKind
  readonly data: Readonly<Record<string, unknown>>
}

/** An event that has not been recorded yet. */
export type NewJobEvent = Omit<JobEvent, 'seq'>
