import type { JobDocument } from '../../job/document.ts'
import type { JobEvent } from '../../job/event.ts'
import { linesMediaType } from '../admin/progress-reply.ts'

/** How events are written down. */
export interface EventFormat {
  readonly mediaType: string
  /** What comes first. */
  readonly opening: Uint8Array
  batch(events: readonly JobEvent[]): Uint8Array
  /** What comes after the last event of an ended job. It has no number: whoever comes again gets it again. */
  end(job: JobDocument): Uint8Array
  /** What says only that nothing has happened yet. */
  readonly heartbeat: Uint8Array
}

const utf8 = new TextEncoder()

/** Server-sent events (WHATWG HTML, section 9.2): the number as `id`, the kind as `event`, the whole event as `data`. */
export const serverSentEvents: EventFormat = Object.freeze({
  mediaType: 'text/event-stream',
  // After so many milliseconds a client comes again.
  opening: utf8.encode('retry: 1000\n\n'),
  batch: writeOnce((event) => `id: ${event.seq}\nevent: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`),
  end: (job: JobDocument) => utf8.encode(`event: end\ndata: ${JSON.stringify(endOf(job))}\n\n`),
  heartbeat: utf8.encode(':\n\n'),
})

/** The same events as lines of JSON; an empty line is the heartbeat. */
export const eventLines: EventFormat = Object.freeze({
  mediaType: linesMediaType,
  opening: utf8.encode('\n'),
  batch: writeOnce(jsonLine),
  end: (job: JobDocument) => utf8.encode(jsonLine(endOf(job))),
  heartbeat: utf8.encode('\n'),
})

/** Whether an event belongs into a log: what the action itself has said. */
export function isLogged({ kind }: JobEvent): boolean {
  return kind === 'log' || kind === 'message' || kind === 'dropped'
}

/** An event of a log as a line for people: when, what kind, and what. */
export function logLine({ atMs, kind, data }: JobEvent): string {
  return `${new Date(atMs).toISOString()} ${textOf(kind, data)}\n`
}

/** An event as a line of JSON. */
export function jsonLine(event: object): string {
  return `${JSON.stringify(event)}\n`
}

function endOf(job: JobDocument): object {
  return { kind: 'end', data: job }
}

/** Those who watch one job are given the same batches: each is written down once for all of them. */
function writeOnce(write: (event: JobEvent) => string): EventFormat['batch'] {
  const written = new WeakMap<readonly JobEvent[], Uint8Array>()
  return (events) => {
    const bytes = written.get(events) ?? utf8.encode(events.map(write).join(''))
    written.set(events, bytes)
    return bytes
  }
}

function textOf(kind: JobEvent['kind'], data: JobEvent['data']): string {
  if (kind === 'message') return `${oneLine(data.level)}: ${oneLine(data.message)}`
  if (kind === 'dropped') return `${oneLine(data.count)} further events were not kept`
  return `${oneLine(data.event)} ${oneLine(JSON.stringify(data.data))}`
}

/** What an action says must neither look like several lines nor steer a terminal. */
function oneLine(said: unknown): string {
  return String(said).replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ')
}
