import { expect, it } from 'vitest'
import type { JobEvent } from '../../../runtime/job/event.ts'
import { openLogStream } from '../../../runtime/server/job/log-stream.ts'

/** Events of a job, each third of which is a log's; `asked` notes what was read. */
function eventsOf(count: number) {
  const events = Array.from({ length: count }, (_, index): JobEvent => {
    return { seq: index + 1, atMs: 0, kind: index % 3 === 0 ? 'log' : 'progress', data: {} }
  })
  const asked: number[] = []
  const read = async (afterSeq: number, limit: number) => {
    asked.push(afterSeq)
    return events.slice(afterSeq, afterSeq + limit)
  }
  return { asked, read }
}

function open(read: ReturnType<typeof eventsOf>['read'], afterSeq = 0): ReadableStream<Uint8Array> {
  return openLogStream({
    read,
    afterSeq,
    takes: ({ kind }) => kind === 'log',
    line: ({ seq }) => `${seq}\n`,
  })
}

const linesOf = async (stream: ReadableStream<Uint8Array>): Promise<number[]> =>
  (await new Response(stream).text()).split('\n').slice(0, -1).map(Number)

it.each([0, 1, 499, 500, 501, 1500, 1501])('gives the log of %d events, and ends', async (count) => {
  const { read } = eventsOf(count)
  const wanted = Array.from({ length: Math.ceil(count / 3) }, (_, index) => index * 3 + 1)
  expect(await linesOf(open(read))).toEqual(wanted)
})

it('goes on after an event', async () => {
  expect(await linesOf(open(eventsOf(10).read, 4))).toEqual([7, 10])
  expect(await linesOf(open(eventsOf(10).read, 100))).toEqual([])
})

it('is read from the store as somebody reads it', async () => {
  const { read, asked } = eventsOf(5_000)
  const reader = open(read).getReader()
  await reader.read()
  expect(asked).toEqual([0])
  await reader.cancel()
})

it('breaks off with the store', async () => {
  const stream = open(() => Promise.reject(new Error('away')))
  await expect(new Response(stream).text()).rejects.toThrow('away')
})
