import { IsoplexError, isIsoplexError } from '../error/error.ts'
import type { JobEvent } from '../job/event.ts'
import { type ReplyReading, senseless } from '../runner/reply-bytes.ts'
import { readEvents } from '../runner/reply-items.ts'
import type { Deadline } from './deadline.ts'
import type { ClientFacts } from './errand.ts'
import type { ReplyReader } from './http-transport.ts'
import { askJobs } from './job-request.ts'
import { mayHelp, pause, pauseBefore } from './retry.ts'

/** A server says something every 15 seconds; a connection on which nothing comes for so long is dead. */
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
    let timer: ReturnType<typeof setTimeout> | undefined
    const heard = (): void => {
      clearTimeout(timer)
      timer = setTimeout(() => connection.abort(brokenOff()), silenceMs)
      heardMs = performance.now()
    }
    try {
      const signal = AbortSignal.any([deadline.signal, connection.signal])
      const headers = { accept: 'text/event-stream', 'last-event-id': String(seq) }
      const request = { path: `${path}/events`, headers, read: eventReader(heard) }
      for await (const event of await askJobs(client, request, { signal, leftMs: deadline.leftMs })) {
        if (event.kind === 'end') return
        if (event.seq <= seq) continue
        seq = event.seq
        tried = 0
        yield event
      }
      throw brokenOff()
    } catch (error) {
      const isOver = deadline.signal.aborted || performance.now() - heardMs > patienceMs
      if (isOver || !isIsoplexError(error) || !mayHelp(error)) throw error
    } finally {
      clearTimeout(timer)
      connection.abort()
    }
    await pause(pauseBefore(tried), deadline.signal)
  }
}

/** Reads the events of one connection, of which the last has the kind `end`, and tells of each sign of life. */
function eventReader(heard: () => void): ReplyReader<AsyncIterable<JobEvent | { readonly kind: 'end' }>> {
  return async ({ body, headers }, reading) => {
    const isStream = headers.get('content-type')?.startsWith('text/event-stream')
    if (!body || !isStream) throw senseless('is no stream of events', reading)
    heard()
    const listening = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        heard()
        controller.enqueue(chunk)
      },
    })
    const items = readEvents(body.pipeThrough(listening), reading)
    return (async function* () {
      for await (const item of items) yield toEvent(item, reading)
    })()
  }
}

function toEvent(item: unknown, reading: ReplyReading): JobEvent | { readonly kind: 'end' } {
  const { kind, seq } = (item ?? {}) as Partial<JobEvent>
  if (kind && (Number.isSafeInteger(seq) || (kind as string) === 'end')) return item as JobEvent
  throw senseless('holds what is no event', reading)
}

function brokenOff(): IsoplexError<'FETCH_FAILED'> {
  return new IsoplexError('FETCH_FAILED', 'The events of the job broke off.', {
    details: { reason: 'cut-off' },
  })
}
