import { expect, it, onTestFinished } from 'vitest'
import { IsoplexError } from '../../runtime/error/error.ts'
import { toWire } from '../../runtime/error/wire.ts'
import { breakStream, deliver } from '../../runtime/replica/delivery.ts'
import {
  concat,
  encodeHead,
  encodeJson,
  type FrameKind,
  frameFlags,
  frameKinds,
} from '../../runtime/replica/frame.ts'
import { ReplicaProcess } from '../../runtime/replica/replica-process.ts'
import { RunnerLink } from '../../runtime/replica/runner-link.ts'
import type { Answer } from '../../runtime/replica/ticket.ts'
import { bytesOf } from './request-head.ts'
import { deploymentOf, makeQueue, ticketAt, type WatchedTicket } from './work.ts'

interface Desk {
  readonly link: RunnerLink
  readonly first: WatchedTicket
  readonly second: WatchedTicket
  /** Requests whose stream somebody left. */
  readonly left: number[]
  receive(kind: FrameKind, id: number, payload?: Uint8Array, flags?: number): void
}

/** A runner that has requests 1 and 2 in hand. */
function openDesk(): Desk {
  const events = {
    ready: () => undefined,
    reported: () => undefined,
    runnerEnded: () => undefined,
    died: () => undefined,
  }
  const replica = new ReplicaProcess(0, { environment: {} }, events)
  onTestFinished(async () => {
    replica.kill()
    await replica.ended
  })
  const link = new RunnerLink(1, makeQueue(deploymentOf()), replica)
  const [first, second] = [ticketAt(1), ticketAt(2)]
  link.send([first.ticket, second.ticket], 0)
  const left: number[] = []
  return {
    link,
    first,
    second,
    left,
    receive: (kind, id, payload = new Uint8Array(), flags = 0) =>
      deliver(link, { kind, id, flags, payload: concat([payload]), tookUs: 0 }, (_, leftId) =>
        left.push(leftId),
      ),
  }
}

/** The stream that a caller was answered with. */
function streamOf({ answers }: WatchedTicket): ReadableStream<Uint8Array> {
  const [answer] = answers as Answer[]
  if (answer?.body instanceof ReadableStream) return answer.body
  throw new Error('no stream')
}

const head = { status: 201, headers: [['a', 'b']] as const }

it('gives a reply to its caller, and leaves the others in hand', async () => {
  const { link, first, second, receive } = openDesk()
  receive(frameKinds.reply, 1, concat(encodeHead(head, bytesOf('body'))))
  expect(first.answers).toEqual([{ ...head, body: bytesOf('body') }])
  expect([...link.sent.keys()]).toEqual([2])
  expect(second.ticket.settled).toBe(false)
})

it('gives a refusal to its caller as the error that it was', () => {
  const { first, receive } = openDesk()
  receive(
    frameKinds.refusal,
    1,
    encodeJson(toWire(new IsoplexError('OUTPUT_INVALID', 'No.', { details: { issues: [] } }))),
  )
  expect(first.errors).toEqual([expect.objectContaining({ code: 'OUTPUT_INVALID', message: 'No.' })])
})

it.each([
  ['whole', 0],
  ['broken off', frameFlags.streamBroken],
])('hands on a stream that ends %s', async (_, flags) => {
  const { link, first, receive } = openDesk()
  receive(frameKinds.streamStart, 1, encodeJson(head))
  receive(frameKinds.streamChunk, 1, bytesOf('one '))
  expect(link.streaming).toBe(true)
  const text = new Response(streamOf(first)).text()
  receive(frameKinds.streamChunk, 1, bytesOf('two'))
  receive(frameKinds.streamEnd, 1, undefined, flags)
  expect([...link.sent.keys()]).toEqual([2])
  if (flags === 0) expect(await text).toBe('one two')
  else await expect(text).rejects.toThrow('The stream broke off.')
})

it('says so when somebody leaves a stream, which stays in hand until the runner lets go', async () => {
  const { link, first, left, receive } = openDesk()
  receive(frameKinds.streamStart, 1, encodeJson(head))
  await streamOf(first).cancel()
  expect(left).toEqual([1])
  expect(link.sent.has(1)).toBe(true)
  receive(frameKinds.streamChunk, 1, bytesOf('late'))
  receive(frameKinds.streamEnd, 1, undefined, frameFlags.streamBroken)
  expect(link.sent.has(1)).toBe(false)
})

it('leaves aside what is about no request in hand', () => {
  const { link, first, second, receive } = openDesk()
  receive(frameKinds.reply, 7, concat(encodeHead(head)))
  receive(frameKinds.reply, 1, concat(encodeHead(head)))
  receive(frameKinds.reply, 1, concat(encodeHead(head)))
  receive(frameKinds.streamChunk, 2, bytesOf('without a start'))
  expect([first.answers.length, second.answers.length, link.sent.size]).toEqual([1, 0, 1])
})

it('answers no caller who has gone', () => {
  const { link, first, receive } = openDesk()
  first.ticket.fail('gone')
  receive(frameKinds.reply, 1, concat(encodeHead(head)))
  expect([first.answers, first.errors, link.sent.has(1)]).toEqual([[], ['gone'], false])
})

it('breaks off a stream where the runner died, after what had come', async () => {
  const { link, first, receive } = openDesk()
  receive(frameKinds.streamStart, 1, encodeJson(head))
  receive(frameKinds.streamChunk, 1, bytesOf('one'))
  for (const sent of link.abandon()) breakStream(sent)
  const reader = streamOf(first).getReader()
  expect((await reader.read()).value).toEqual(bytesOf('one'))
  await expect(reader.read()).rejects.toMatchObject({ code: 'REPLICA_CRASHED' })
})
