import { DeadlineLine } from './deadline-line.ts'
import type { Ticket } from './ticket.ts'

/** What becomes of tickets that are not answered. */
export interface TicketWatchEvents {
  /** The deadline of its deployment has passed. */
  overdue(ticket: Ticket): void
  /** Its caller has gone. */
  left(ticket: Ticket): void
}

/**
 * A request that a runner has at once and answers within this time is not asked whether its caller is still there: a
 * signal and its listener cost more than many a request does. A signal that is first looked at late says whether it has fired.
 */
const patienceMs = 10

/** Watches over tickets that wait: the deadline of each, and whether its caller is still there. */
export class TicketWatch {
  readonly #events: TicketWatchEvents
  /** By the time that a deployment gives its requests: there are few of them. */
  readonly #deadlines = new Map<number, DeadlineLine<Ticket>>()
  readonly #fresh = new DeadlineLine<Ticket>(patienceMs, (ticket) => this.#listen(ticket))
  #size = 0

  constructor(events: TicketWatchEvents) {
    this.#events = events
  }

  /** How many tickets are watched. */
  get size(): number {
    return this.#size
  }

  /** Begins to watch a ticket that has just arrived. */
  add(ticket: Ticket): void {
    this.#size += 1
    ticket.fresh = this.#fresh.add(ticket)
    const { timeoutMs } = ticket.work
    if (timeoutMs === undefined) ticket.deadline = this.#deadlineOf(ticket).add(ticket)
    else {
      // Few have a time of their own: a line for each such time would serve one request.
      const timer = setTimeout(() => this.#events.overdue(ticket), Math.ceil(timeoutMs)).unref()
      ticket.onSettled(() => clearTimeout(timer))
    }
  }

  /** To be called where a ticket has to wait for a runner: from now on a caller who leaves is heard at once. */
  wait(ticket: Ticket): void {
    if (ticket.fresh && this.#fresh.delete(ticket.fresh)) this.#listen(ticket)
  }

  /** Ends it; to be called once, when the ticket is settled. */
  delete(ticket: Ticket): void {
    this.#size -= 1
    const { fresh, deadline, listener } = ticket
    if (deadline) this.#deadlineOf(ticket).delete(deadline)
    if (fresh) this.#fresh.delete(fresh)
    if (listener) ticket.work.signal.removeEventListener('abort', listener)
    ticket.listener = null
  }

  #deadlineOf({ work }: Ticket): DeadlineLine<Ticket> {
    const { timeoutMs } = work.deployment
    const known = this.#deadlines.get(timeoutMs)
    if (known) return known
    const line = new DeadlineLine<Ticket>(timeoutMs, (ticket) => this.#events.overdue(ticket))
    this.#deadlines.set(timeoutMs, line)
    return line
  }

  #listen(ticket: Ticket): void {
    const { signal } = ticket.work
    if (signal.aborted) {
      this.#events.left(ticket)
      return
    }
    const listener = (): void => this.#events.left(ticket)
    ticket.listener = listener
    signal.addEventListener('abort', listener, { once: true })
  }
}
