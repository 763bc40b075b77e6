import type { StepRecord } from '../define/step.ts'
import type { RequestHead } from '../runner/head.ts'
import type { JobEvent, NewJobEvent } from './event.ts'
import type { EndState, Job, JobError, JobMetrics, JobProgress, JobState } from './job.ts'

/**
 * The right to go on with a job. Each taking of a job has a higher fence, and whatever is written with a lower one is
 * refused: who has lost the lease, and does not know it yet, changes nothing.
 */
export interface Lease {
  readonly jobId: string
  readonly fence: number
}

/** A job as it is submitted. Its parameters have been checked. */
export interface NewJob {
  readonly function: string
  readonly category: string | null
  readonly principal: string
  /** The request as a runner gets it, and the bytes of its body: the action's process decodes them again. */
  readonly head: RequestHead
  readonly body: Uint8Array<ArrayBuffer>
  /** The submitter's credential, sealed; `null` where no token was sent. Wiped when the job ends. */
  readonly credential: Uint8Array<ArrayBuffer> | null
  /** The ids of models among the parameters. */
  readonly models: readonly string[]
  /** Of two submissions of one principal and function with the same key, the second gets the first one's job. */
  readonly idempotencyKey: string | null
}

/** How many jobs there may be. */
export interface JobLimits {
  readonly maxQueuedJobs: number
  readonly maxJobsPerPrincipal: number
}

/** What becomes of a job once its rollback has ended. */
export interface PendingEnd {
  readonly state: 'failed' | 'cancelled'
  readonly error: JobError
}

/** A job that has been taken, with all that its process needs to go on. */
export interface TakenJob {
  readonly lease: Lease
  readonly job: Job
  readonly head: RequestHead
  readonly credential: Uint8Array<ArrayBuffer> | null
  readonly models: readonly string[]
  /** The steps that have been recorded, in their order. */
  readonly steps: readonly StepRecord[]
  /** The names of steps whose rollback has ended, well or not; one that was interrupted may be none of `steps`. */
  readonly rolledBack: readonly string[]
  /** The shared fields as the last recorded step left them; `null` before the first. JSON. */
  readonly fields: unknown
  /** The step that was running; `null` where none was. */
  readonly runningStep: RunningStep | null
  /** What was saved last in the running step, or in an action without steps; `undefined` where nothing was. */
  readonly checkpoint: unknown
  /** Set once a rollback has begun: nothing but the rollback is to go on. */
  readonly pendingEnd: PendingEnd | null
  /**
   * Takings since a step, a checkpoint, the beginning of the rollback or a rolled back step was recorded, this one
   * included.
   */
  readonly attemptsInVain: number
  /** How long ago the job was begun for the first time, in milliseconds by the store's own clock. */
  readonly elapsedMs: number
}

/** A step that has been begun. */
export interface RunningStep {
  readonly name: string
  /** How often it has been begun. */
  readonly attempt: number
}

/** Which jobs are to be taken. */
export interface TakeOptions {
  /** Who takes it, for people: a host's name and a process id. */
  readonly worker: string
  /** The functions whose jobs can run here. */
  readonly functions: readonly string[]
  readonly leaseMs: number
  /** Jobs that are passed over, such as those that run here already. @default none */
  readonly except?: readonly string[]
  /** The principal of the job that was taken last: those whose names follow have their turn. */
  readonly after?: string
}

/** What a process has to tell of its job. */
export interface JobReport {
  /** How far it is now; `null` where that has not changed. */
  readonly progress: JobProgress | null
  /** All metrics; `null` where none has changed. */
  readonly metrics: JobMetrics | null
  /** What has happened since the last report, metrics too. Of progress there is nothing: the store makes that event. */
  readonly events: readonly NewJobEvent[]
}

/** A file on this machine that is to become one of a job's. It stays, and nobody may write to it any more. */
export interface FileToKeep {
  readonly name: string
  readonly mediaType: string
  /** Absolute path of the file. */
  readonly path: string
}

/** How a job ends. */
export interface JobEnd {
  readonly state: EndState
  /** `null` where it has succeeded. */
  readonly error: JobError | null
  /** What a job that succeeded gave; the file is taken as that of {@link FileToKeep} is. */
  readonly result: {
    readonly path: string
    readonly form: 'value' | 'lines'
    readonly mediaType: string
    readonly count: number
  } | null
}

/** Who looks at jobs: a principal, who sees its own; `null` is the operator, who sees all. */
export type Viewer = string | null

/** Which jobs are listed, the newest first. */
export interface JobQuery {
  readonly viewer: Viewer
  readonly state: JobState | null
  readonly function: string | null
  /** Those older than the one with this id; `null` begins with the newest. */
  readonly before: string | null
  /** From 1 to 1000. */
  readonly limit: number
}

/** What of a job is read as bytes: `input`, `result`, or one of its files. */
export type JobContent =
  | { readonly kind: 'input' | 'result' }
  | { readonly kind: 'file'; readonly name: string }

/** A piece of a content. */
export interface ContentPiece {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly mediaType: string
  /** Of the whole content. */
  readonly totalBytes: number
}

/**
 * Where jobs are kept. Methods over plain data, so that it can be asked from another thread. Every change is one
 * transaction; those that take a lease throw `LEASE_LOST` where it is not the job's newest or the job has ended, and
 * then change nothing. All throw `JOB_STORE_UNAVAILABLE` while the database is away, and `STORAGE_FULL`.
 */
export interface JobStore {
  /**
   * Adds a job, or finds the one that the idempotency key stands for.
   *
   * @throws {IsoplexError} `QUEUE_FULL`, `SHARE_EXCEEDED`, `IDEMPOTENCY_MISMATCH` where the key came with another body.
   */
  submit(job: NewJob, limits: JobLimits): Promise<{ readonly job: Job; readonly created: boolean }>
  /** @throws {IsoplexError} `JOB_NOT_FOUND`, also where it is somebody else's. */
  get(id: string, viewer: Viewer): Promise<Job>
  list(query: JobQuery): Promise<readonly Job[]>
  /** Events after a number, the oldest first, at most `limit`. Empty where there are none (yet). */
  events(id: string, afterSeq: number, limit: number): Promise<readonly JobEvent[]>
  /**
   * A piece of a content, at most `maxBytes` from `offset` on.
   *
   * @throws {IsoplexError} `JOB_NOT_FOUND`, `JOB_UNFINISHED`, `JOB_ENDED` where there is no such content.
   */
  read(id: string, content: JobContent, offset: number, maxBytes: number): Promise<ContentPiece>
  /**
   * Asks for a job's end: one that nobody works on is cancelled at once, unless it has steps to roll back. Returns the
   * job.
   */
  cancel(id: string, viewer: Viewer): Promise<Job>

  /**
   * Takes a job whose lease has ended, else one that was begun before, else the one that has waited longest of the
   * principal whose turn it is; `null` where there is none.
   */
  take(options: TakeOptions): Promise<TakenJob | null>
  /** Makes a lease last anew. Says whether the job's end has been asked for. */
  renew(lease: Lease, leaseMs: number): Promise<{ readonly cancelRequested: boolean }>
  /** Gives a job back, unfinished, to be taken at once; `blameless` does not count as an attempt in vain. */
  release(lease: Lease, how: { readonly blameless: boolean }): Promise<void>
  /** Notes that a step begins, and how often it has been begun by now. */
  beginStep(lease: Lease, name: string): Promise<RunningStep>
  /**
   * Records a step with the fields as it left them, and that the next one begins, where there is one. A step that is
   * recorded already stays as it is.
   *
   * @throws {IsoplexError} `JOB_TOO_LARGE`
   */
  recordStep(lease: Lease, record: StepRecord, fields: unknown, next: string | null): Promise<void>
  /** Remembers a value for the running step, or the action without steps. @throws {IsoplexError} `JOB_TOO_LARGE` */
  saveCheckpoint(lease: Lease, value: unknown): Promise<void>
  /** Notes that nothing but the rollback is to go on, and what the job ends as then. */
  beginRollback(lease: Lease, end: PendingEnd): Promise<void>
  /** Records that a step has been rolled back, or why that failed, which joins the errors of the pending end. */
  recordRollback(lease: Lease, step: string, error: string | null): Promise<void>
  /** Adds a file, or puts it in the place of the one with the same name. @throws {IsoplexError} `JOB_TOO_LARGE` */
  keepFile(lease: Lease, file: FileToKeep): Promise<void>
  /** Writes a content of a job into a file of this machine. */
  fetch(lease: Lease, content: JobContent, path: string): Promise<void>
  /**
   * Writes what a process has to tell. Progress never falls, and stays below 100 until the job has succeeded; events
   * beyond the limit are counted.
   *
   * @throws {IsoplexError} `JOB_TOO_LARGE` where the metrics are.
   */
  report(lease: Lease, report: JobReport): Promise<void>
  /** Ends a job, for good, and wipes its credential. Its overall progress is 100 exactly where it succeeded. */
  finish(lease: Lease, end: JobEnd): Promise<void>

  /** How many jobs wait, by their function; one of which none waits is not named. */
  countQueued(): Promise<Readonly<Record<string, number>>>
  /** Forgets jobs that ended long ago, with all that they left. Returns how many. */
  sweep(): Promise<number>
  close(): Promise<void>
}
