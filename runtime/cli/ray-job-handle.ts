import type { ProjectKeys } from '../auth/project-key.ts'
import type { JobHandle } from '../client/job-handle.ts'
import { type FileValue, fileValue } from '../define/file-value.ts'
import type { JobCluster } from '../deploy/job-cluster.ts'
import { type JobFrame, JobFrameReader } from '../deploy/job-frames.ts'
import { IsoplexError } from '../error/error.ts'
import { fromWire, type WireError } from '../error/wire.ts'
import type { JobEvent } from '../job/event.ts'
import type { Job } from '../job/job.ts'
import { printable } from './job-lines.ts'

/** A job of a cluster that is followed. */
export interface RayJobOptions {
  /** Its id on the cluster. */
  readonly id: string
  /** The action's name. */
  readonly function: string
  readonly cluster: JobCluster
  /** What its words are sealed with. */
  readonly keys: ProjectKeys
  readonly nonce: string
}

const tailLength = 2_000

/** Makes the handle of a job that was submitted to a cluster. Its events are read once, and bring all else along. */
export function createRayJobHandle(options: RayJobOptions): JobHandle {
  const { id, cluster } = options
  const told = new ToldJob(options.function, id)
  const finished = async (): Promise<Job> => {
    if (told.job.error !== null && told.job.state === 'failed') throw fromWire(told.job.error)
    return told.job
  }
  return {
    id,
    get job() {
      return told.job
    },
    refresh: () => Promise.resolve(told.job),
    events: ({ signal } = {}) => readEvents(options, told, signal),
    result: async () => {
      await finished()
      return told.value()
    },
    async *results() {
      await finished()
      yield* told.values()
    },
    file: async (name) => told.file(name),
    cancel: async () => {
      await cluster.stop(id)
      return told.job
    },
  }
}

async function* readEvents(
  { id, cluster, keys, nonce }: RayJobOptions,
  told: ToldJob,
  signal: AbortSignal | undefined,
): AsyncGenerator<JobEvent, void> {
  const reader = new JobFrameReader(keys, nonce)
  let tail = ''
  for await (const piece of cluster.logs(id, signal)) {
    tail = (tail + piece).slice(-tailLength)
    for (const frame of reader.read(piece)) {
      if (frame.kind === 'event') yield frame.data as JobEvent
      else if (told.take(frame) === 'ended') return
    }
  }
  const { message } = await cluster.status(id)
  const log = printable(tail)
  throw new IsoplexError(
    'JOB_CRASHED',
    `The job ended without a word of its own: ${printable(message)} The end of its log: ${log}`,
  )
}

interface Content {
  readonly mediaType: string
  readonly parts: Uint8Array<ArrayBuffer>[]
}

/** What a job has told of itself. */
class ToldJob {
  job: Job
  #value: Content | null = null
  readonly #lines: Uint8Array<ArrayBuffer>[] = []
  readonly #files = new Map<string, Content>()

  constructor(name: string, id: string) {
    this.job = unbegun(name, id)
  }

  /** Takes a frame. @throws {IsoplexError} why the job could not be begun, such as `INPUT_INVALID`. */
  take({ kind, data, bytes }: JobFrame): 'ended' | 'goes on' {
    if (kind === 'failure') throw fromWire(data as WireError)
    if (kind === 'end') {
      this.job = { ...(data as Job), id: this.job.id }
      return 'ended'
    }
    if (kind === 'lines') this.#lines.push(bytes)
    else if (kind === 'value') {
      this.#value ??= { mediaType: String(data), parts: [] }
      this.#value.parts.push(bytes)
    } else if (kind === 'file') {
      const { name, mediaType } = data as { readonly name: string; readonly mediaType: string }
      const content = this.#files.get(name) ?? { mediaType, parts: [] }
      this.#files.set(name, content)
      content.parts.push(bytes)
    }
    return 'goes on'
  }

  value(): unknown {
    if (this.#value === null) return undefined
    const { mediaType, parts } = this.#value
    const bytes = joined(parts)
    return mediaType === 'application/json'
      ? JSON.parse(new TextDecoder().decode(bytes))
      : fileValue(bytes, mediaType)
  }

  *values(): Generator<unknown, void> {
    const text = new TextDecoder().decode(joined(this.#lines))
    for (const line of text.split('\n')) if (line !== '') yield JSON.parse(line)
  }

  file(name: string): FileValue {
    const content = this.#files.get(name)
    if (content) return fileValue(joined(content.parts), content.mediaType, name)
    throw new IsoplexError('ENTRY_NOT_FOUND', `The job has left no file ${name}.`, {
      details: { entry: name },
    })
  }
}

function joined(parts: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat(parts))
}

function unbegun(name: string, id: string): Job {
  return {
    id,
    function: name,
    category: null,
    principal: 'cluster',
    state: 'queued',
    createdMs: Date.now(),
    startedMs: null,
    endedMs: null,
    expiresMs: null,
    attempt: 0,
    cancelRequested: false,
    rollingBack: false,
    steps: [],
    progress: { overall: 0, current: null, categories: {} },
    metrics: {},
    files: [],
    error: null,
    result: null,
  }
}
