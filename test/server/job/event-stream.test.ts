import { describe, expect, it } from 'vitest'
import type { JobEvent } from '../../../runtime/job/event.ts'
import type { Job } from '../../../runtime/job/job.ts'
import { type EventStreamOptions, openEventStream } from '../../../runtime/server/job/event-stream.ts'
import { eventLines, serverSentEvents } from '../../../runtime/server/job/event-text.ts'
import { sampleJob } from '../../job/sample-job.ts'
import { surround } from '../served.ts'

type Watch = EventStreamOptions['jobs']['watch']

interface Opened {
  readonly stream: ReadableStream<Uint8Array>
  readonly log: ReturnType<typeof surround>['log']
}

function open(watch: Watch, options: Partial<EventStreamOptions> = {}, job: Partial<Job> = {}): Opened {
  const around = surround()
  const jobs = { watch, get: async () => sampleJob(job) }
  const { log } = around.exchange
  const stream = openEventStream({
    ...{ jobs, id: 'job_1', viewer: null, afterSeq: 0, log },
    ...{ format: eventLines, leaving: [], heartbeatMs: 60_000, stillSees: async () => true },
    ...options,
  })
  return { stream, log: around.log }
}

function batchOf(seq: number, size = 1): readonly JobEvent[] {
  return Array.from(
    { length: size },
    (_, index): JobEvent => ({ seq: seq + index, atMs: 0, kind: 'log', data: {} }),
  )
}

function gone(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve()))
}

const textOf = (stream: ReadableStream<Uint8Array>): Promise<string> => new Response(stream).text()

describe('a stream of events', () => {
  it('gives all of them and then the job', async () => {
    const { stream } = open(
      async function* () {
        yield batchOf(1, 2)
        yield batchOf(3)
      },
      {},
      { state: 'succeeded' },
    )
    const lines = (await textOf(stream))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line))
    expect(lines.map(({ seq, kind }) => seq ?? kind)).toEqual([1, 2, 3, 'end'])
  })

  it('has no end where the job has none yet, as when the server stops', async () => {
    const stopping = new AbortController()
    const { stream } = open(
      async function* (_id, _viewer, _after, signal) {
        yield batchOf(1)
        await gone(signal)
      },
      { leaving: [stopping.signal] },
    )
    const reader = stream.getReader()
    await reader.read()
    await reader.read()
    const next = reader.read()
    stopping.abort()
    expect((await next).done).toBe(true)
  })

  it('begins at once, and says something in silence', async () => {
    const { stream } = open(
      async function* (_id, _viewer, _after, signal) {
        await gone(signal)
        yield batchOf(1)
      },
      { format: serverSentEvents, heartbeatMs: 1 },
    )
    const reader = stream.getReader()
    const texts = [await reader.read(), await reader.read(), await reader.read()].map(({ value }) =>
      new TextDecoder().decode(value),
    )
    expect(texts).toEqual(['retry: 1000\n\n', ':\n\n', ':\n\n'])
    await reader.cancel()
  })

  it('asks for no more than is read, and lets go when nobody reads any more', async () => {
    let given = 0
    let watched: AbortSignal | null = null
    const { stream } = open(async function* (_id, _viewer, _after, signal) {
      watched = signal
      for (;;) {
        given += 1
        yield batchOf(given)
      }
    })
    const reader = stream.getReader()
    await reader.read()
    await reader.read()
    await Promise.resolve()
    expect(given).toBe(1)
    await reader.cancel()
    expect((watched as AbortSignal | null)?.aborted).toBe(true)
  })

  it('ends without a last line once the viewer may not look any more, also where nothing happens', async () => {
    let asked = 0
    const { stream } = open(
      async function* (_id, _viewer, _after, signal) {
        yield batchOf(1)
        await gone(signal)
      },
      { heartbeatMs: 1, stillSees: async () => ++asked < 3 },
      { state: 'succeeded' },
    )
    expect(await textOf(stream)).not.toContain('"end"')
    expect(asked).toBe(3)
  })

  it('breaks off where the events do, which is logged', async () => {
    const { stream, log } = open(async function* () {
      yield batchOf(1)
      throw new Error('away')
    })
    await expect(textOf(stream)).rejects.toThrow('away')
    expect(log).toMatchObject([{ level: 'warn', fields: { job: 'job_1' } }])
  })
})
