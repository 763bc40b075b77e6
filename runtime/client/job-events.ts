import { IsoplexError, isIsoplexError } from '../error/error.ts'
import type { JobEvent, JobEventKind } from '../job/event.ts'
import type { Deadline } from './deadline.ts'
import type { ClientFacts } from './errand.ts'
import { askJobs } from './job-request.ts'
import { type ReplyReading, senseless } from './reply-bytes.ts'
import { itemOf, readFrames } from './reply-items.ts'
import { mayHelp, pause, pauseBefore } from './retry.ts'

/** A server says something at least every 15 seconds; a connection on which nothing comes for so long is dead. */
const silenceMs = 60_000
/** A server that is away for longer is not waited for. */
const patienceMs = 300_000

/**
 * Reads the events of a job after a number, until it has ended. A connection that breaks off is made again, and the
 * server asked for what has not been seen: each event comes once, in order.
 *
 * @param path the job's, below `/-/jobs`
 */
export async function* followEvents(
  client: ClientFacts,
  path: string,
  after: number,
  deadline: Deadline,
): AsyncGenerator<JobEvent, void> {
  let seq = after
  let heardMs = performance.now()
  for (let tried = 0; ; tried += 1) {
    const connection = new AbortController()
    try {
      const signal = AbortSignal.any([deadline.signal, connection.signal])
      const headers = { accept: 'text/event-stream', 'last-event-id': String(seq) }
      const request = { path: `${path}/events`, headers, read: readJobEvents }
      const events = await askJobs(client, request, { signal, leftMs: deadline.leftMs })
      for (;;) {
        const timer = setTimeout(() => connection.abort(brokenOff()), silenceMs)
        const { done, value } = await events.next().finally(() => clearTimeout(timer))
        if (done && value) return
        if (done) throw brokenOff()
        tried = 0
        heardMs = performance.now()
        if (value === null || value.seq <= seq) continue
        seq = value.seq
        yield value
      }
    } catch (error) {
      const isOver = deadline.signal.aborted || performance.now() - heardMs > patienceMs
      if (isOver || !isIsoplexError(error) || !mayHelp(error)) throw error
    } finally {
      connection.abort()
    }
    await pause(pauseBefore(tried), deadline.signal)
  }
}

/** Events of one connection, with `null` for a sign of life; returns whether the job has ended. */
type JobEvents = AsyncGenerator<JobEvent | null, boolean>

async function readJobEvents({ body }: Response, reading: ReplyReading): Promise<JobEvents> {
  if (!body) throw senseless('holds no events', reading)
  return eventsOf(body, reading)
}

async function* eventsOf(body: ReadableStream<Uint8Array>, reading: ReplyReading): JobEvents {
  for await (const { event, id, data: json } of readFrames(body, reading)) {
    if (event === 'end') return true
    const item = json === null ? null : itemOf(json, event === 'error', reading)
    if (typeof item !== 'object' || item === null) {
      yield null
      continue
    }
    const { atMs, ...data } = item as { readonly atMs: number }
    yield { seq: Number(id), atMs, kind: event as JobEventKind, data }
  }
  return false
}

function brokenOff(): IsoplexError<'FETCH_FAILED'> {
  return new IsoplexError('FETCH_FAILED', 'The events of the job broke off.', {
    details: { reason: 'cut-off' },
  })
}
