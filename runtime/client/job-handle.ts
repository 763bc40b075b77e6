import { type FileValue, fileValue, isMediaType } from '../define/file-value.ts'
import { fromWire } from '../error/wire.ts'
import type { JobEvent } from '../job/event.ts'
import { isEnded, type Job, type JobProgress } from '../job/job.ts'
import { bytesOf } from '../runner/reply-bytes.ts'
import { readValues } from '../runner/reply-items.ts'
import { readReply } from '../runner/reply-value.ts'
import { fillPath } from './address.ts'
import { type Deadline, startDeadline } from './deadline.ts'
import type { ClientFacts } from './errand.ts'
import type { ReplyReader } from './http-transport.ts'
import { followEvents } from './job-events.ts'
import { askJobs, readJob } from './job-request.ts'

/** How the server is asked about a job. */
export interface JobOptions {
  readonly signal?: AbortSignal | undefined
  /** In milliseconds, tries and pauses included. @default that of the client */
  readonly timeoutMs?: number | undefined
}

/** How a job is waited for. */
export interface WaitOptions extends JobOptions {
  /** In milliseconds. @default as long as the job takes */
  readonly timeoutMs?: number | undefined
  /** Hears how far the job is, at its end too: 100 where it has succeeded. */
  readonly onProgress?: ((progress: JobProgress) => void) | undefined
}

/** Which events of a job are read. */
export interface EventOptions {
  /** Those after this number. @default 0, which is all of them */
  readonly after?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * A job on a server. The job goes on whether or not anybody waits for it; `client.jobs.get(id)` gives a handle of it
 * anew. Where a connection breaks off, or the server starts anew, what waits goes on with the next one; a server that is
 * away for more than five minutes is not waited for.
 */
export interface JobHandle<Result = unknown> {
  readonly id: string
  /** The job as the server told it last: when it was submitted, at the last `refresh`, or at its end. */
  readonly job: Job
  /** Asks the server how the job is. */
  refresh(options?: JobOptions): Promise<Job>
  /** What happens to the job, from its beginning to its end; each event once, in order. */
  events(options?: EventOptions): AsyncIterable<JobEvent>
  /**
   * What the job gave, once it has ended.
   *
   * @throws {IsoplexError} the job's error where it failed; `CANCELLED` where it was cancelled, or `signal` fired;
   * `DEADLINE_EXCEEDED` where it did not end in time, and then goes on.
   * @throws {TypeError} where it gave lines, which are read by `results`.
   */
  result(options?: WaitOptions): Promise<Result>
  /** The values that the job gave, once it has ended, one after the other; one where it gave one. Throws as `result`. */
  results(options?: WaitOptions): AsyncIterable<Result>
  /** A file that the job keeps, also while it goes on; `job.files` names them. */
  file(name: string, options?: JobOptions): Promise<FileValue>
  /** Asks for the job's end. One that has ended stays as it is. */
  cancel(options?: JobOptions): Promise<Job>
}

/** Makes the handle of a job. */
export function createJobHandle(client: ClientFacts, first: Job): JobHandle {
  let job = first
  const { id } = first
  const path = fillPath('/{id}', { id })
  const ask = async (method: 'GET' | 'DELETE', deadline: Deadline): Promise<Job> => {
    job = await askJobs(client, { method, path, read: readJob }, deadline)
    return job
  }
  const untilSuccess = async (deadline: Deadline, { onProgress }: WaitOptions): Promise<void> => {
    if (!isEnded(job.state)) {
      for await (const { kind, data } of followEvents(client, path, 0, deadline)) {
        if (kind === 'progress') onProgress?.(data as unknown as JobProgress)
      }
      await ask('GET', deadline)
    }
    onProgress?.(job.progress)
    if (job.state === 'succeeded') return
    throw fromWire(job.error ?? { code: 'CANCELLED', message: 'The job was cancelled.' })
  }
  const read = <Value>(content: string, reader: ReplyReader<Value>, deadline: Deadline): Promise<Value> =>
    askJobs(client, { path: path + content, read: reader }, deadline)
  return {
    id,
    get job() {
      return job
    },
    refresh: (options) => within(client, options, (deadline) => ask('GET', deadline)),
    cancel: (options) => within(client, options, (deadline) => ask('DELETE', deadline)),
    async *events({ after = 0, signal } = {}) {
      yield* streamed({ signal }, (deadline) => followEvents(client, path, after, deadline))
    },
    result: (options = {}) =>
      within({}, options, async (deadline) => {
        await untilSuccess(deadline, options)
        if (job.result?.form === 'lines')
          throw new TypeError(`The job ${id} gave lines; read them by "results".`)
        return (await read('/result', readReply, deadline)).value
      }),
    results: (options = {}) =>
      streamed(options, async function* (deadline) {
        await untilSuccess(deadline, options)
        yield* await read('/result', readResults, deadline)
      }),
    file: (name, options) =>
      within(client, options, (deadline) =>
        read(fillPath('/files/{name}', { name }), fileReader(name), deadline),
      ),
  }
}

/** Does something within the time and the signal of a caller. */
export async function within<Value>(
  client: { readonly timeoutMs?: number | undefined },
  { signal, timeoutMs = client.timeoutMs }: JobOptions = {},
  work: (deadline: Deadline) => Promise<Value>,
): Promise<Value> {
  const deadline = startDeadline(signal, timeoutMs)
  try {
    return await work(deadline)
  } finally {
    deadline.end()
  }
}

/** As {@link within}, of values one after the other; the time begins with the first one. */
async function* streamed<Value>(
  { signal, timeoutMs }: JobOptions,
  work: (deadline: Deadline) => AsyncIterable<Value>,
): AsyncGenerator<Value, void> {
  const deadline = startDeadline(signal, timeoutMs)
  try {
    yield* work(deadline)
  } finally {
    deadline.end()
  }
}

const readResults: ReplyReader<AsyncIterable<unknown>> = async (response, reading) => {
  const { body, headers } = response
  if (body && headers.get('content-type')?.startsWith('application/x-ndjson'))
    return readValues(body, reading)
  const { value } = await readReply(response, reading)
  return (async function* () {
    yield value
  })()
}

/** Reads a file as it is, whatever its media type. */
function fileReader(name: string): ReplyReader<FileValue> {
  return async ({ body, headers }, reading) => {
    const mediaType = headers.get('content-type')?.split(';', 1)[0]?.trim() ?? ''
    const bytes = await bytesOf(body, reading)
    return fileValue(bytes, isMediaType(mediaType) ? mediaType : 'application/octet-stream', name)
  }
}
