import { pseudoRandom } from '../support/arithmetic.ts'
import { ClientConnection } from './client-connection.ts'
import type { ClassOutcome, TrafficClass, TrafficRequest } from './traffic.ts'

/** Where and when a class of traffic is sent. */
export interface SenderOptions {
  readonly url: URL
  /** The times below are of `performance.now()`. */
  readonly startMs: number
  /** From when on requests count. */
  readonly countFromMs: number
  readonly endMs: number
  readonly seed: number
}

/** Sends one class of traffic, and keeps the score. */
export class TrafficSender {
  readonly #class: TrafficClass
  readonly #options: SenderOptions
  readonly #texts: readonly Uint8Array[]
  readonly #random: () => number
  readonly #connections = new Set<ClientConnection>()
  readonly #idle: ClientConnection[] = []
  readonly #waiting = new Map<ClientConnection, { readonly plannedMs: number; readonly counts: boolean }>()
  readonly #latenciesMs: number[] = []
  readonly #latenessMs: number[] = []
  readonly #failed: Record<string, number> = {}
  #plannedMs: number
  #turn = 0
  #sent = 0
  #unsent = 0
  #pending = 0

  constructor(trafficClass: TrafficClass, options: SenderOptions) {
    this.#class = trafficClass
    this.#options = options
    this.#texts = trafficClass.requests.map((request) => writeRequest(request, options.url))
    this.#random = pseudoRandom(options.seed)
    this.#plannedMs = options.startMs
  }

  /** Requests without a reply so far. */
  get pending(): number {
    return this.#pending
  }

  /** Sends all that is due. */
  tick(nowMs: number): void {
    const { perSecond, connections } = this.#class
    if (perSecond === null) {
      while (nowMs < this.#options.endMs && this.#connections.size < connections) this.#send(nowMs, nowMs)
      return
    }
    while (this.#plannedMs <= nowMs && this.#plannedMs < this.#options.endMs) {
      this.#send(this.#plannedMs, nowMs)
      // Gaps of a Poisson process, so that nothing beats in time with the server.
      this.#plannedMs -= (Math.log(1 - this.#random()) / perSecond) * 1_000
    }
  }

  /** Gives up on what is pending, closes all connections and tells what came of it. */
  finish(): ClassOutcome {
    for (const connection of this.#connections) connection.leave()
    if (this.#pending > 0) this.#failed.unanswered = this.#pending
    const { countFromMs, endMs } = this.#options
    const latencies = Float64Array.from(this.#latenciesMs).sort()
    return {
      name: this.#class.name,
      sent: this.#sent,
      ok: latencies.length,
      failed: this.#failed,
      unsent: this.#unsent,
      okPerSecond: latencies.length / ((endMs - countFromMs) / 1_000),
      p50Ms: quantile(latencies, 0.5),
      p99Ms: quantile(latencies, 0.99),
      lateP99Ms: quantile(Float64Array.from(this.#latenessMs).sort(), 0.99),
    }
  }

  #send(plannedMs: number, nowMs: number): void {
    const { order, connections } = this.#class
    const place = order ? (order[this.#turn % order.length] ?? 0) : this.#turn % this.#texts.length
    const text = this.#texts[place]
    if (!text) throw new RangeError(`There is no request ${place}.`)
    this.#turn += 1
    const counts = plannedMs >= this.#options.countFromMs
    const idle = this.#idle.pop()
    if (!idle && this.#connections.size >= connections) {
      if (counts) this.#unsent += 1
      return
    }
    if (counts) {
      this.#sent += 1
      this.#pending += 1
      this.#latenessMs.push(nowMs - plannedMs)
    }
    const connection = idle ?? this.#open()
    this.#waiting.set(connection, { plannedMs, counts })
    connection.send(text)
  }

  #open(): ClientConnection {
    const { hostname, port } = this.#options.url
    const connection = ClientConnection.open(
      { hostname, port: Number(port) },
      {
        replied: (status) => {
          if (status === null) this.#settle(connection, 'unreadable')
          else this.#settle(connection, status < 400 ? null : String(status))
        },
        free: () => this.#free(connection),
        closed: ({ busy }) => {
          this.#connections.delete(connection)
          const place = this.#idle.indexOf(connection)
          if (place >= 0) this.#idle.splice(place, 1)
          if (busy) this.#settle(connection, 'connection')
        },
      },
    )
    this.#connections.add(connection)
    return connection
  }

  #free(connection: ClientConnection): void {
    this.#idle.push(connection)
    const nowMs = performance.now()
    if (this.#class.perSecond === null && nowMs < this.#options.endMs) this.#send(nowMs, nowMs)
  }

  #settle(connection: ClientConnection, failure: string | null): void {
    const waiting = this.#waiting.get(connection)
    this.#waiting.delete(connection)
    if (!waiting?.counts) return
    this.#pending -= 1
    if (failure === null) this.#latenciesMs.push(performance.now() - waiting.plannedMs)
    else this.#failed[failure] = (this.#failed[failure] ?? 0) + 1
  }
}

function writeRequest({ path, headers = {}, body }: TrafficRequest, { host }: URL): Uint8Array {
  const lines = [
    `${body === undefined ? 'GET' : 'POST'} ${path} HTTP/1.1`,
    `host: ${host}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(body === undefined
      ? []
      : ['content-type: application/json', `content-length: ${Buffer.byteLength(body)}`]),
  ]
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body ?? ''}`)
}

/** The value below which such a share of sorted values lies; NaN where there is none. */
function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
