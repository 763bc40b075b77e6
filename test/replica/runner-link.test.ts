import { describe, expect, it, onTestFinished } from 'vitest'
import type { Deployment } from '../../runtime/replica/deployment.ts'
import { decodeHead, frameKinds } from '../../runtime/replica/frame.ts'
import { ReplicaProcess } from '../../runtime/replica/replica-process.ts'
import { RunnerLink } from '../../runtime/replica/runner-link.ts'
import { until } from '../support/server.ts'
import { connectPair, type SocketPair } from './socket-pair.ts'
import { deploymentOf, makeQueue, ticketAt } from './work.ts'

/** A link over a real socket, to a replica that does nothing. */
async function openLink(facts: Partial<Deployment> = {}): Promise<{ link: RunnerLink; pair: SocketPair }> {
  const events = {
    ready: () => undefined,
    reported: () => undefined,
    runnerEnded: () => undefined,
    died: () => undefined,
  }
  const replica = new ReplicaProcess(0, { environment: {} }, events)
  const pair = await connectPair()
  onTestFinished(async () => {
    replica.kill()
    await replica.ended
    await pair[Symbol.asyncDispose]()
  })
  const link = new RunnerLink(1, makeQueue(deploymentOf(facts)), replica)
  replica.links.add(link)
  return { link, pair }
}

/** A link that takes work. */
async function openActiveLink(
  facts: Partial<Deployment> = {},
): Promise<{ link: RunnerLink; pair: SocketPair }> {
  const { link, pair } = await openLink(facts)
  link.connect(pair.near.connection)
  link.state = 'active'
  return { link, pair }
}

describe('the share of its time at work', () => {
  it('is that of the batches that have ended since the last look', async () => {
    const { link } = await openActiveLink({ concurrency: 1, ahead: 1 })
    const [first, second] = [ticketAt(1).ticket, ticketAt(2).ticket]
    link.queue.add(ticketAt(99).ticket)
    const sinceMs = link.startedMs
    link.workload.measure(sinceMs)
    link.send([first], sinceMs)
    link.send([second], sinceMs + 10)
    link.close(1, sinceMs + 40)
    // It was ahead until the first was done.
    link.close(2, sinceMs + 60)
    link.workload.measure(sinceMs + 80)
    expect(link.workload.busyShare).toBeCloseTo(0.75)
    link.workload.measure(sinceMs + 100)
    expect(link.workload.busyShare).toBe(0)
  })

  it('counts nothing that was done while nobody waited', async () => {
    const { link } = await openActiveLink({ concurrency: 1, ahead: 0 })
    link.workload.measure(link.startedMs)
    link.send([ticketAt(1).ticket], link.startedMs)
    link.close(1, link.startedMs + 100)
    link.workload.measure(link.startedMs + 100)
    expect(link.workload.busyShare).toBe(0)
  })

  it('counts batches that are worked on side by side in part', async () => {
    const { link } = await openActiveLink({ concurrency: 4, ahead: 0 })
    link.queue.add(ticketAt(99).ticket)
    const sinceMs = link.startedMs
    link.workload.measure(sinceMs)
    for (const id of [1, 2]) link.send([ticketAt(id).ticket], sinceMs)
    for (const id of [1, 2]) link.close(id, sinceMs + 100)
    link.workload.measure(sinceMs + 100)
    expect(link.workload.busyShare).toBeCloseTo(0.5)
  })
})

describe('room', () => {
  it('is for the batches that it works on and those that may be ahead', async () => {
    const { link } = await openActiveLink({ concurrency: 2, ahead: 1 })
    const tickets = [1, 2, 3, 4].map((id) => ticketAt(id).ticket)
    const rooms: unknown[] = []
    for (const count of [2, 1, 1]) {
      rooms.push([link.free, link.room])
      link.send(tickets.splice(0, count), 0)
    }
    rooms.push([link.free, link.room])
    expect(rooms).toEqual([
      [true, 3],
      [true, 2],
      [false, 1],
      [false, 0],
    ])
    link.close(1, 0)
    expect(link.room).toBe(0)
    link.close(2, 0)
    expect([link.free, link.room]).toEqual([false, 1])
    link.close(3, 0)
    expect([link.free, link.room]).toEqual([true, 2])
  })

  it('is none before it works, and without a connection', async () => {
    const { link } = await openActiveLink()
    expect(link.free).toBe(true)
    for (const state of ['starting', 'loaded', 'retiring', 'gone'] as const) {
      link.state = state
      expect([link.free, link.room]).toEqual([false, 0])
    }
    link.state = 'active'
    link.disconnect()
    expect([link.free, link.room]).toEqual([false, 0])
  })
})

describe('what it sends', () => {
  it('says which requests are of one batch', async () => {
    const { link, pair } = await openActiveLink()
    link.send(
      [1, 2].map((id) => ticketAt(id).ticket),
      0,
    )
    link.send([ticketAt(3).ticket], 0)
    link.flush()
    await pair.far.until((frames) => frames.length === 3)
    expect(pair.far.frames.map(({ kind, id, flags }) => [kind, id, flags])).toEqual([
      [frameKinds.request, 1, 1],
      [frameKinds.request, 2, 0],
      [frameKinds.request, 3, 0],
    ])
    expect(decodeHead(pair.far.frames[0]?.payload ?? new Uint8Array()).head).toMatchObject({ method: 'POST' })
  })

  it('tells the runner to stop once, and as soon as it is connected', async () => {
    const { link, pair } = await openLink()
    link.stop()
    link.stop()
    link.connect(pair.near.connection)
    link.stop()
    link.credit(9, 70_000)
    await pair.far.until((frames) => frames.length === 2)
    expect(pair.far.frames.map(({ kind, id }) => [kind, id])).toEqual([
      [frameKinds.stop, 0],
      [frameKinds.credit, 9],
    ])
    expect([...(pair.far.frames[1]?.payload ?? [])]).toEqual([0x70, 0x11, 0x01, 0x00])
  })

  it('tells the runner that nobody waits, and its owner if the runner does not let go', async () => {
    const { link, pair } = await openActiveLink()
    link.send(
      [1, 2].map((id) => ticketAt(id).ticket),
      0,
    )
    link.flush()
    const overdue: number[] = []
    for (const id of [1, 2, 3]) link.cancel(id, 30, () => overdue.push(id))
    link.close(1, 0)
    await until(() => overdue.length > 0)
    expect(overdue).toEqual([2])
    await pair.far.until((frames) => frames.length === 4)
    expect(pair.far.frames.slice(2).map(({ kind, id }) => [kind, id])).toEqual([
      [frameKinds.cancel, 1],
      [frameKinds.cancel, 2],
    ])
  })
})

describe('what it has in hand', () => {
  it('belongs to it until it is answered or it dies', async () => {
    const { link } = await openActiveLink()
    const tickets = [1, 2, 3].map((id) => ticketAt(id).ticket)
    link.send(tickets, 5)
    expect(tickets.map((ticket) => ticket.link)).toEqual([link, link, link])
    expect([link.idle, link.lastUsedMs]).toEqual([false, 5])
    expect(link.close(2, 8)?.ticket).toBe(tickets[1])
    expect(link.close(2, 9)).toBeUndefined()
    expect(link.lastUsedMs).toBe(8)
    let overdue = 0
    link.cancel(1, 1, () => {
      overdue += 1
    })
    expect(link.abandon().map(({ ticket }) => ticket.id)).toEqual([1, 3])
    expect(tickets.map((ticket) => ticket.link)).toEqual([null, null, null])
    expect([link.idle, link.abandon()]).toEqual([true, []])
    await Bun.sleep(20)
    expect(overdue).toBe(0)
  })

  it('counts as activity while it may be the reason of a death', async () => {
    const { link } = await openLink()
    expect([link.activities, link.replica.activities]).toEqual([1, 1])
    link.state = 'active'
    expect(link.activities).toBe(0)
    link.send(
      [1, 2].map((id) => ticketAt(id).ticket),
      0,
    )
    expect([link.activities, link.replica.activities]).toEqual([2, 2])
    link.state = 'retiring'
    expect(link.activities).toBe(2)
    link.abandon()
    expect(link.activities).toBe(1)
  })
})

describe('the one thing that happens unless it goes on in time', () => {
  it('is the last that was set, and nothing once it went on', async () => {
    const { link } = await openLink()
    const happened: string[] = []
    link.within(5, () => happened.push('first'))
    link.within(20, () => happened.push('second'))
    await until(() => happened.length > 0)
    expect(happened).toEqual(['second'])
    link.within(5, () => happened.push('third'))
    link.inTime()
    await Bun.sleep(20)
    expect(happened).toEqual(['second'])
  })
})
