import { DeadlineLine } from '../replica/deadline-line.ts'

/** Whoever can keep a request's connection open, however long nothing moves on it. */
export interface Connections {
  hold(request: Request): void
  release(request: Request): void
}

/** Well below the time after which a server closes a connection on which nothing moves. */
const holdAfterMs = 5_000

/** Keeps the connections of requests open that wait long, or whose replies are streams; for the others it does nothing. */
export class ConnectionHolds {
  readonly #connections: Connections
  readonly #waiting: DeadlineLine<Request>

  /** @param afterMs how long a request waits before its connection is held */
  constructor(connections: Connections, afterMs: number = holdAfterMs) {
    this.#connections = connections
    this.#waiting = new DeadlineLine(afterMs, (request) => connections.hold(request))
  }

  /** A request begins to wait. */
  wait(request: Request): void {
    this.#waiting.add(request)
  }

  /** Its reply has begun, and may last. */
  stream(request: Request): void {
    if (this.#waiting.delete(request)) this.#connections.hold(request)
  }

  /** Its reply is whole; to be called once. */
  end(request: Request): void {
    if (!this.#waiting.delete(request)) this.#connections.release(request)
  }
}
