import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toJobDocument } from '../../../runtime/job/document.ts'
import type { JobEvent, JobEventKind } from '../../../runtime/job/event.ts'
import {
  type EventFormat,
  eventLines,
  isLogged,
  jsonLine,
  logLine,
  serverSentEvents,
} from '../../../runtime/server/job/event-text.ts'
import { sampleJob } from '../../job/sample-job.ts'

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
const event = (seq: number, kind: JobEventKind, data: JobEvent['data'] = {}): JobEvent => ({
  seq,
  atMs: Date.UTC(2030, 0, 1),
  kind,
  data,
})

describe('server-sent events', () => {
  it('carry number, kind and all of the event', () => {
    const message = event(7, 'message', { level: 'info', message: 'a\nb' })
    expect(textOf(serverSentEvents.batch([message, event(8, 'log')]))).toBe(
      `id: 7\nevent: message\ndata: ${JSON.stringify(message)}\n\nid: 8\nevent: log\ndata: ${JSON.stringify(event(8, 'log'))}\n\n`,
    )
  })

  it('end with the job and no number of their own', () => {
    const job = toJobDocument(sampleJob())
    expect(textOf(serverSentEvents.end(job))).toBe(
      `event: end\ndata: ${JSON.stringify({ kind: 'end', data: job })}\n\n`,
    )
  })

  it('begin and go on with what no client takes for an event', () => {
    expect(textOf(serverSentEvents.opening)).toBe('retry: 1000\n\n')
    expect(textOf(serverSentEvents.heartbeat)).toBe(':\n\n')
  })
})

describe('lines of events', () => {
  it('are JSON, each whole on its own', () => {
    const events = [event(1, 'state', { state: 'queued' }), event(2, 'log', { data: 'a\nb' })]
    const text = textOf(eventLines.opening) + textOf(eventLines.batch(events)) + textOf(eventLines.heartbeat)
    expect(
      text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line)),
    ).toEqual(events)
  })
})

it.each<[name: string, format: EventFormat]>([
  ['events', serverSentEvents],
  ['lines', eventLines],
])('%s are written once for all who are given the same batch', (_, format) => {
  const batch = [event(1, 'log')]
  expect(format.batch(batch)).toBe(format.batch(batch))
  expect(format.batch([...batch])).not.toBe(format.batch(batch))
})

describe('a log', () => {
  it('is what the action has said, and what was left out of that', () => {
    const kinds = ['state', 'step', 'progress', 'metrics', 'log', 'message', 'file', 'dropped'] as const
    expect(kinds.filter((kind) => isLogged(event(1, kind)))).toEqual(['log', 'message', 'dropped'])
  })

  it.each<[kind: JobEventKind, data: JobEvent['data'], line: string]>([
    ['message', { level: 'warning', message: 'Low.' }, 'warning: Low.'],
    ['log', { event: 'fetched', data: { bytes: 5 } }, 'fetched {"bytes":5}'],
    ['dropped', { count: 5 }, '5 further events were not kept'],
  ])('has a line for %s', (kind, data, line) => {
    expect(logLine(event(1, kind, data))).toBe(`2030-01-01T00:00:00.000Z ${line}\n`)
  })

  it('has one line for each event, and nothing that steers a terminal', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.constantFrom('log', 'message'), (said, kind) => {
        const data = { level: 'info', message: said, event: said, data: { said } }
        const text = logLine(event(1, kind, data))
        // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not come through.
        expect(text.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/)
        expect(jsonLine(event(1, kind, data)).trimEnd()).not.toContain('\n')
      }),
    )
  })
})
