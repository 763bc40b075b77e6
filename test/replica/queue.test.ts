import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { RequestQueue } from '../../runtime/replica/queue.ts'
import { headOf } from './request-head.ts'
import { deploymentOf, makeQueue, ticketAt, workOf } from './work.ts'

const queueOf = (maxSize: number, maxDelayMs = 10): RequestQueue =>
  makeQueue(deploymentOf({ batch: { maxSize, maxDelayMs, maxBytes: 1_048_576 } }))

const ids = (tickets: readonly { readonly id: number }[]): number[] => tickets.map(({ id }) => id)

describe('a queue', () => {
  it('is empty at first', () => {
    const queue = queueOf(3)
    expect(queue.length).toBe(0)
    expect(queue.oldestMs).toBe(Number.POSITIVE_INFINITY)
    expect(queue.take()).toEqual([])
    expect(queue.patienceMs(5)).toBe(0)
  })

  it('gives batches in the order of arrival, none above the size', () => {
    const queue = queueOf(3)
    for (let id = 1; id <= 7; id += 1) queue.add(ticketAt(id).ticket)
    expect(queue.length).toBe(7)
    expect([queue.take(), queue.take(), queue.take(), queue.take()].map(ids)).toEqual([
      [1, 2, 3],
      [4, 5, 6],
      [7],
      [],
    ])
    expect(queue.length).toBe(0)
  })

  it('lets a request go that is settled while it waits', () => {
    const queue = queueOf(3)
    const tickets = [1, 2, 3].map((id) => ticketAt(id).ticket)
    for (const ticket of tickets) queue.add(ticket)
    tickets[0]?.fail(new Error('gone'))
    expect(queue.length).toBe(2)
    expect(queue.oldestMs).toBe(2)
    expect(ids(queue.take())).toEqual([2, 3])
  })

  it('gives those whose runner died one to a batch, by turns with the others', () => {
    const queue = queueOf(3)
    const [one, two, three, four] = [1, 2, 3, 4].map((id) => ticketAt(id).ticket)
    if (!one || !two || !three || !four) throw new Error('No tickets.')
    for (const ticket of [one, two]) queue.add(ticket)
    queue.take()
    for (const ticket of [three, four]) queue.add(ticket)
    for (const ticket of [one, two]) queue.addAgain(ticket)
    expect(queue.length).toBe(4)
    expect(queue.oldestMs).toBe(1)
    expect([queue.take(), queue.take(), queue.take()].map(ids)).toEqual([[1], [3, 4], [2]])
  })

  it('lets one whose runner died go when it is settled', () => {
    const queue = queueOf(3)
    const { ticket } = ticketAt(1)
    queue.add(ticket)
    queue.take()
    queue.addAgain(ticket)
    ticket.fail(new Error('gone'))
    expect(queue.length).toBe(0)
    expect(queue.take()).toEqual([])
  })

  it('fails everybody who waits, and nobody else', () => {
    const queue = queueOf(2)
    const watched = [1, 2, 3, 4, 5].map((id) => ticketAt(id))
    for (const { ticket } of watched) queue.add(ticket)
    const [again, running] = queue.take()
    if (again) queue.addAgain(again)
    const error = new Error('no more')
    queue.failAll(error)
    expect(watched.map(({ errors }) => errors.length)).toEqual([1, 0, 1, 1, 1])
    expect(running?.settled).toBe(false)
    expect(queue.length).toBe(0)
  })

  it('hands out each request once, in order, whatever happens between', () => {
    const step = fc.oneof(
      fc.constant({ kind: 'add' as const }),
      fc.constant({ kind: 'take' as const }),
      fc.record({ kind: fc.constant('settle' as const), which: fc.nat() }),
      fc.record({ kind: fc.constant('again' as const), which: fc.nat() }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), (steps, maxSize) => {
        const queue = queueOf(maxSize)
        const tickets = new Map<number, ReturnType<typeof ticketAt>['ticket']>()
        const waiting: number[] = []
        const again: number[] = []
        let running: number[] = []
        let tookAgain = false
        for (const each of steps) {
          if (each.kind === 'add') {
            const { ticket } = ticketAt(tickets.size + 1)
            tickets.set(ticket.id, ticket)
            waiting.push(ticket.id)
            queue.add(ticket)
          } else if (each.kind === 'take') {
            tookAgain = again.length > 0 && !(tookAgain && waiting.length > 0)
            const expected = tookAgain ? again.splice(0, 1) : waiting.splice(0, maxSize)
            expect(ids(queue.take())).toEqual(expected)
            running.push(...expected)
          } else if (each.kind === 'settle' && tickets.size > 0) {
            const id = (each.which % tickets.size) + 1
            tickets.get(id)?.fail(new Error('gone'))
            for (const list of [waiting, again]) if (list.includes(id)) list.splice(list.indexOf(id), 1)
            running = running.filter((other) => other !== id)
          } else if (each.kind === 'again' && running.length > 0) {
            const [id = 0] = running.splice(each.which % running.length, 1)
            const ticket = tickets.get(id)
            if (ticket) queue.addAgain(ticket)
            again.push(id)
          }
          expect(queue.length).toBe(waiting.length + again.length)
        }
      }),
    )
  })
})

describe('several principals in a queue', () => {
  const ticketOf = (principal: string, id: number, bytes = 0): ReturnType<typeof ticketAt> =>
    ticketAt(id, id, workOf({ head: headOf({ principal }), body: new Uint8Array(bytes) }))

  it('share a batch, however many requests one of them has waiting', () => {
    const queue = queueOf(16)
    for (let id = 1; id <= 100; id += 1) queue.add(ticketOf('noisy', id).ticket)
    queue.add(ticketOf('quiet', 101).ticket)
    expect(ids(queue.take())).toContain(101)
  })

  it('have no more than an equal part of a batch each, so that none waits for all of another', () => {
    const queue = queueOf(16)
    for (let id = 1; id <= 100; id += 1) queue.add(ticketOf('noisy', id).ticket)
    queue.add(ticketOf('quiet', 101).ticket)
    expect(queue.take()).toHaveLength(9)
    expect(queue.take()).toHaveLength(16)
  })

  it('share by bytes where bodies differ in size', () => {
    const queue = queueOf(1)
    for (let id = 1; id <= 64; id += 1) {
      queue.add(ticketOf('large', id, 64 * 1024).ticket)
      queue.add(ticketOf('small', 1_000 + id, 4 * 1024).ticket)
    }
    const taken = Array.from({ length: 68 }, () => queue.take()[0]?.principal)
    const large = taken.filter((principal) => principal === 'large').length
    expect(large).toBeGreaterThanOrEqual(3)
    expect(large).toBeLessThanOrEqual(6)
  })

  it('make room for a newcomer who has less, the last of whoever has the most', () => {
    const queue = queueOf(4)
    for (let id = 1; id <= 3; id += 1) queue.add(ticketOf('noisy', id).ticket)
    queue.add(ticketOf('quiet', 4).ticket)
    expect(queue.yielding('quiet')?.id).toBe(3)
    expect(queue.yielding('new')?.id).toBe(3)
    expect(queue.yielding('noisy')).toBeNull()
    expect(queue.holdsOthers('noisy')).toBe(true)
  })

  it('do not make room for each other where all have the same', () => {
    const queue = queueOf(4)
    for (const [id, principal] of ['a', 'b'].entries()) queue.add(ticketOf(principal, id + 1).ticket)
    expect(queue.yielding('c')).toBeNull()
    expect(queue.holdsOthers('a')).toBe(true)
  })

  it('are told apart from one who is alone', () => {
    const queue = queueOf(4)
    expect(queue.principal).toBeNull()
    queue.add(ticketOf('a', 7).ticket)
    expect(queue.principal).toBe('a')
    expect(queue.holdsOthers('a')).toBe(false)
    queue.addAgain(ticketOf('a', 8).ticket)
    expect(queue.holdsOthers('a')).toBe(false)
    queue.add(ticketOf('b', 5).ticket)
    expect(queue.principal).toBe('b')
  })
})

describe('the bytes of a batch', () => {
  const bytesOf = (id: number, bytes: number): ReturnType<typeof ticketAt>['ticket'] =>
    ticketAt(id, id, workOf({ body: new Uint8Array(bytes) })).ticket
  const bounded = (maxBytes: number): RequestQueue =>
    makeQueue(deploymentOf({ batch: { maxSize: 100, maxDelayMs: 0, maxBytes } }))

  it('end a batch before it has as many requests as it may', () => {
    const queue = bounded(100)
    for (const [id, bytes] of [60, 40, 1, 99, 2].entries()) queue.add(bytesOf(id, bytes))
    expect([queue.take(), queue.take(), queue.take()].map(ids)).toEqual([[0, 1], [2, 3], [4]])
  })

  it('do not keep a single request out that alone has more', () => {
    const queue = bounded(100)
    for (const [id, bytes] of [1, 1_000, 1].entries()) queue.add(bytesOf(id, bytes))
    expect([queue.take(), queue.take(), queue.take()].map(ids)).toEqual([[0], [1], [2]])
  })
})

describe('patience', () => {
  it('lasts from the arrival of the first', () => {
    const queue = queueOf(3, 10)
    queue.add(ticketAt(100).ticket)
    queue.add(ticketAt(105).ticket)
    expect(queue.patienceMs(100)).toBe(10)
    expect(queue.patienceMs(108)).toBe(2)
    expect(queue.patienceMs(110)).toBe(0)
    expect(queue.patienceMs(500)).toBe(0)
  })

  it('ends when a batch is full', () => {
    const queue = queueOf(2, 10)
    queue.add(ticketAt(100).ticket)
    expect(queue.patienceMs(100)).toBe(10)
    queue.add(ticketAt(100, 2).ticket)
    expect(queue.patienceMs(100)).toBe(0)
  })

  it('is not asked of those that go again', () => {
    const queue = queueOf(3, 10)
    const { ticket } = ticketAt(100)
    queue.add(ticket)
    queue.take()
    queue.addAgain(ticket)
    expect(queue.patienceMs(100)).toBe(0)
  })

  it('starts anew for the next where the first is gone', () => {
    const queue = queueOf(3, 10)
    const first = ticketAt(100).ticket
    queue.add(first)
    queue.add(ticketAt(106).ticket)
    first.fail(new Error('gone'))
    expect(queue.patienceMs(108)).toBe(8)
  })

  describe('by the clock', () => {
    beforeEach(() => {
      vi.useFakeTimers()
    })
    afterEach(() => {
      vi.useRealTimers()
    })

    it('wakes once for many who ask, and again when it is asked again', () => {
      const queue = queueOf(3)
      const wakes: string[] = []
      queue.wakeAfter(10, () => wakes.push('first'))
      queue.wakeAfter(5, () => wakes.push('second'))
      vi.advanceTimersByTime(9)
      expect(wakes).toEqual([])
      vi.advanceTimersByTime(20)
      expect(wakes).toEqual(['first'])
      queue.wakeAfter(10, () => wakes.push('third'))
      vi.advanceTimersByTime(10)
      expect(wakes).toEqual(['first', 'third'])
      expect(vi.getTimerCount()).toBe(0)
    })
  })
})
