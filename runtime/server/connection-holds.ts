import { DeadlineLine } from '../replica/deadline-line.ts'
import type { Place } from '../replica/linked-line.ts'

/** Whoever can keep a request's connection open, however long nothing moves on it. */
export interface Connections {
  hold(request: Request): void
  release(request: Request): void
}

/** A request that waits, or whose reply goes on. */
interface Held {
  readonly request: Request
  readonly arrivedMs: number
}

/** Where a request waits, for whoever tells what becomes of it. */
export type Hold = Place<Held>

/** Well below the time after which a server closes a connection on which nothing moves. */
const holdAfterMs = 5_000

/** Keeps the connections of requests open that wait long, or whose replies are streams; for the others it does nothing. */
export class ConnectionHolds {
  readonly #connections: Connections
  readonly #waiting: DeadlineLine<Held>

  /** @param afterMs how long a request waits before its connection is held */
  constructor(connections: Connections, afterMs: number = holdAfterMs) {
    this.#connections = connections
    this.#waiting = new DeadlineLine(afterMs, ({ request }) => connections.hold(request))
  }

  /** A request begins to wait. */
  wait(request: Request): Hold {
    return this.#waiting.add({ request, arrivedMs: performance.now() })
  }

  /** Its reply has begun, and may last. */
  stream(hold: Hold): void {
    if (this.#waiting.delete(hold)) this.#connections.hold(hold.item.request)
  }

  /** Its reply is whole; to be called once. */
  end(hold: Hold): void {
    if (!this.#waiting.delete(hold)) this.#connections.release(hold.item.request)
  }
}
