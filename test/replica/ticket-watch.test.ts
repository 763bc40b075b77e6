import { describe, expect, it } from 'vitest'
import { Ticket } from '../../runtime/replica/ticket.ts'
import { TicketWatch } from '../../runtime/replica/ticket-watch.ts'
import { until } from '../support/server.ts'
import { deploymentOf, workOf } from './work.ts'

/** A watch, what it told, and tickets that count how often somebody asks for their caller's signal. */
function openWatch() {
  const told: (readonly [string, number])[] = []
  let asked = 0
  const watch = new TicketWatch({
    overdue: ({ id }) => told.push(['overdue', id]),
    left: ({ id }) => told.push(['left', id]),
  })
  const add = (id: number, { timeoutMs = 60_000, caller = new AbortController() } = {}) => {
    const work = {
      ...workOf({ deployment: deploymentOf({ timeoutMs }) }),
      get signal() {
        asked += 1
        return caller.signal
      },
    }
    const ticket = new Ticket(
      id,
      work,
      performance.now(),
      () => undefined,
      () => undefined,
    )
    asked = 0
    watch.add(ticket)
    return { ticket, caller }
  }
  return { watch, told, add, asked: () => asked }
}

describe('a watch', () => {
  it('tells of tickets whose deadline has passed, each by its own deployment', async () => {
    const { told, add } = openWatch()
    add(1, { timeoutMs: 60 })
    add(2, { timeoutMs: 20 })
    add(3)
    await until(() => told.length === 2)
    expect(told).toEqual([
      ['overdue', 2],
      ['overdue', 1],
    ])
  })

  it('tells of callers who leave, be it before it asks for their signal or after', async () => {
    const { told, add, asked } = openWatch()
    const early = add(1)
    early.caller.abort()
    await until(() => told.length === 1)
    const late = add(2)
    await until(() => asked() > 0)
    late.caller.abort()
    expect(told).toEqual([
      ['left', 1],
      ['left', 2],
    ])
  })

  it('hears at once of the caller of a ticket that has to wait', () => {
    const { watch, told, add } = openWatch()
    const { ticket, caller } = add(1)
    watch.wait(ticket)
    caller.abort()
    const gone = add(2)
    gone.caller.abort()
    watch.wait(gone.ticket)
    expect(told).toEqual([
      ['left', 1],
      ['left', 2],
    ])
  })

  it('does not ask for the signal of a ticket that is answered soon', async () => {
    const { watch, told, add, asked } = openWatch()
    const { ticket } = add(1)
    expect(watch.size).toBe(1)
    watch.delete(ticket)
    expect(watch.size).toBe(0)
    // One that comes after it is asked, so the turn of the first has passed.
    const witness = add(2)
    witness.caller.abort()
    await until(() => told.length === 1)
    expect(asked()).toBe(1)
  })

  it('hears nothing of a ticket that it watches no more', async () => {
    const { watch, told, add, asked } = openWatch()
    const { ticket, caller } = add(1, { timeoutMs: 40 })
    await until(() => asked() > 0)
    watch.delete(ticket)
    caller.abort()
    add(2, { timeoutMs: 40 })
    await until(() => told.length === 1)
    expect(told).toEqual([['overdue', 2]])
  })
})
