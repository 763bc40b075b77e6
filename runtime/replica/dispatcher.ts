import type { RequestQueue } from './queue.ts'
import type { RunnerLink } from './runner-link.ts'
import type { Ticket } from './ticket.ts'

/** What a dispatcher needs of those around it. */
export interface DispatcherEvents {
  /** Requests wait that no runner can take now. */
  want(queue: RequestQueue): void
  /** A runner has answered, and may have nothing in hand any more. */
  settle(link: RunnerLink): void
  /** A request that has just arrived has to wait. */
  waits(ticket: Ticket): void
  /** What of a queue could be sent has been sent. */
  dispatched(queue: RequestQueue): void
  /** A turn has ended. */
  turned(): void
}

/** How long before a runner is done it is sent the next batch, so that it does not stand still meanwhile. */
const aheadMs = 1

/**
 * Sends batches to whoever is free. Whatever comes within one turn of the event loop, requests and answers, is dealt
 * with together at its end: requests that arrive together are a batch, and each runner is written to once.
 */
export class Dispatcher {
  readonly #events: DispatcherEvents
  #touched: RequestQueue[] = []
  #heard: RunnerLink[] = []
  #arrived: Ticket[] = []
  #scheduled = false

  constructor(events: DispatcherEvents) {
    this.#events = events
  }

  /** A request has been put into a queue. */
  arrive(ticket: Ticket, queue: RequestQueue): void {
    this.#arrived.push(ticket)
    this.touch(queue)
  }

  /** A runner has answered. */
  hear(link: RunnerLink): void {
    if (!link.heard) this.#heard.push(link)
    link.heard = true
    this.touch(link.queue)
  }

  /** Something may let requests of a queue go on. */
  touch(queue: RequestQueue): void {
    if (!queue.touched) this.#touched.push(queue)
    queue.touched = true
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(this.#endTurn)
  }

  readonly #endTurn = (): void => {
    this.#scheduled = false
    this.#dispatchTouched()
    const arrived = this.#arrived
    this.#arrived = []
    for (const ticket of arrived) if (!ticket.link && !ticket.settled) this.#events.waits(ticket)
    const heard = this.#heard
    this.#heard = []
    for (const link of heard) {
      link.heard = false
      this.#events.settle(link)
    }
    this.#events.turned()
  }

  /** Longest wait first, so that no queue is passed over for ever. */
  #dispatchTouched(): void {
    const queues = this.#touched
    this.#touched = []
    if (queues.length > 1) queues.sort(byAge)
    const nowMs = performance.now()
    for (const queue of queues) {
      queue.touched = false
      this.#dispatch(queue, nowMs)
    }
  }

  #dispatch(queue: RequestQueue, nowMs: number): void {
    let sentTo: RunnerLink | null = null
    while (queue.length > 0) {
      const link = this.#runnerFor(queue, nowMs)
      if (!link) {
        this.#events.want(queue)
        break
      }
      if (sentTo !== link) sentTo?.flush()
      this.#send(queue.take(), link, nowMs)
      sentTo = link
    }
    sentTo?.flush()
    this.#events.dispatched(queue)
  }

  #send(batch: readonly Ticket[], link: RunnerLink, nowMs: number): void {
    const { tally } = link.queue
    tally.sent(batch.length)
    for (const { arrivedMs } of batch) tally.waited(nowMs - arrivedMs)
    link.send(batch, nowMs)
  }

  /**
   * A free runner; else one that can have a batch ahead, once the batch has had its wait for company and the runner is
   * about to be done: until then, who comes may still have a part in it.
   */
  #runnerFor(queue: RequestQueue, nowMs: number): RunnerLink | null {
    let ahead: RunnerLink | null = null
    for (const link of queue.links) {
      if (link.free) return link
      if (link.room > 0 && !(ahead && ahead.workload.remainingMs(nowMs) <= link.workload.remainingMs(nowMs)))
        ahead = link
    }
    if (!ahead) return null
    const patienceMs = Math.max(queue.patienceMs(nowMs), ahead.workload.remainingMs(nowMs) - aheadMs)
    if (patienceMs <= 0) return ahead
    queue.wakeAfter(patienceMs, () => this.touch(queue))
    return null
  }
}

function byAge(a: RequestQueue, b: RequestQueue): number {
  // Two queues in which nothing waits are both infinitely young, and their difference is no number.
  return a.oldestMs === b.oldestMs ? 0 : a.oldestMs - b.oldestMs
}
