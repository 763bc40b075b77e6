import type { Credentials } from '../auth/credentials.ts'
import type { FunctionManifest } from '../build/manifest.ts'
import type { RequestHead } from '../runner/head.ts'
import type { JobEvent } from './event.ts'
import type { Job } from './job.ts'
import type { ContentPiece, JobContent, JobQuery, Viewer } from './store.ts'

/** A job as a caller submits it: its parameters have been checked by a runner. */
export interface JobRequest {
  readonly manifest: FunctionManifest
  readonly principal: string
  /** What the caller's token says; `null` where none was sent. */
  readonly credentials: Credentials | null
  readonly head: RequestHead
  readonly body: Uint8Array<ArrayBuffer>
  /** The ids of models that the runner found among the parameters. */
  readonly models: readonly string[]
  readonly idempotencyKey: string | null
}

/** How long a job is waited for. */
export interface JobWait {
  readonly timeoutMs: number
  /** Fires when nobody waits any more. */
  readonly signal: AbortSignal
}

/** The jobs as callers and operators deal with them. */
export interface JobService {
  /**
   * Adds a job, once the caller's right to each of its models has been asked for.
   *
   * @throws {IsoplexError} `MODEL_FORBIDDEN`, `MODEL_NOT_FOUND` and what else keeps the backend from answering; as
   * `JobStore.submit`.
   */
  submit(request: JobRequest): Promise<{ readonly job: Job; readonly created: boolean }>
  /** As `JobStore.get`. */
  get(id: string, viewer: Viewer): Promise<Job>
  /** As `JobStore.list`. */
  list(query: JobQuery): Promise<readonly Job[]>
  /** The job once it has ended, or as it is when the time is over. */
  wait(id: string, viewer: Viewer, wait: JobWait): Promise<Job>
  /**
   * The events of a job after a number as they come, in batches; ends after the last event of an ended job, or with the
   * signal. However many watch one job, the store is asked once.
   */
  watch(id: string, viewer: Viewer, afterSeq: number, signal: AbortSignal): AsyncIterable<readonly JobEvent[]>
  /** As `JobStore.events`, of a job that the viewer may see. */
  events(id: string, viewer: Viewer, afterSeq: number, limit: number): Promise<readonly JobEvent[]>
  /** As `JobStore.read`. */
  read(id: string, viewer: Viewer, content: JobContent, range: PieceRange): Promise<ContentPiece>
  /** Cancels a job: its process hears of it at once where it runs here. */
  cancel(id: string, viewer: Viewer): Promise<Job>
}

/** Which bytes of a content are read. */
export interface PieceRange {
  readonly offset: number
  readonly maxBytes: number
}
