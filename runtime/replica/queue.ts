import type { ResolvedModel } from '../model/resolve.ts'
import type { Deployment } from './deployment.ts'
import { FairLine } from './fair-line.ts'
import { Pace } from './pace.ts'
import type { RunnerLink } from './runner-link.ts'
import type { ModelTally } from './tallies.ts'
import type { Ticket } from './ticket.ts'

/** What a request counts at least, in bytes: its own work, however small its body is. */
const leastCostBytes = 4 * 1024
/** What a principal may take at each of its turns. */
const quantumBytes = 4 * leastCostBytes

const fairness = Object.freeze({
  principalOf: ({ principal }: Ticket) => principal,
  costOf: ({ work }: Ticket) => Math.max(leastCostBytes, work.body.length),
  quantum: quantumBytes,
})

/** Whose requests a queue holds. */
export interface QueueFacts {
  readonly deployment: Deployment
  readonly model: ResolvedModel | null
  readonly tally: ModelTally
}

/** The requests that wait for one model of one deployment, and the runners that serve them. */
export class RequestQueue {
  readonly key: string
  readonly deployment: Deployment
  readonly model: ResolvedModel | null
  /** What is counted of its requests. */
  readonly tally: ModelTally
  readonly links = new Set<RunnerLink>()
  readonly pace: Pace = new Pace()
  /** Whether the scheduler is to look after it at the end of this turn of the loop. */
  touched = false
  readonly #waiting = new FairLine<Ticket>(fairness)
  /** Requests whose runner died: they go one to a batch, by turns with batches of the others. */
  readonly #again = new Set<Ticket>()
  #calls = 0
  #tookAgain = false
  #timer: Timer | null = null

  constructor(key: string, { deployment, model, tally }: QueueFacts) {
    this.key = key
    this.deployment = deployment
    this.model = model
    this.tally = tally
  }

  /** How many requests wait. */
  get length(): number {
    return this.#waiting.length + this.#again.size
  }

  /** How many of those that wait are calls of functions. */
  get calls(): number {
    return this.#calls
  }

  /** When the request that has waited longest arrived; infinite where none waits. */
  get oldestMs(): number {
    return this.#oldest?.arrivedMs ?? Number.POSITIVE_INFINITY
  }

  /** Whose request has waited longest; `null` where none waits. */
  get principal(): string | null {
    return this.#oldest?.principal ?? null
  }

  get #firstAgain(): Ticket | undefined {
    return this.#again.size === 0 ? undefined : this.#again.values().next().value
  }

  get #oldest(): Ticket | undefined {
    let oldest = this.#firstAgain
    for (const ticket of this.#waiting.firsts()) {
      if (!oldest || ticket.arrivedMs < oldest.arrivedMs) oldest = ticket
    }
    return oldest
  }

  /** Adds a request behind the others of its principal; when it is settled it leaves by itself, and is counted. */
  add(ticket: Ticket): void {
    ticket.queue = this
    ticket.waiting = this.#waiting.add(ticket)
    if (ticket.work.parent) this.#calls += 1
  }

  /** Lets a request go that is settled. */
  drop(ticket: Ticket): void {
    const waited = ticket.waiting !== null && this.#waiting.delete(ticket.waiting)
    if ((waited || this.#again.delete(ticket)) && ticket.work.parent) this.#calls -= 1
  }

  /** Takes a request back whose runner died. */
  addAgain(ticket: Ticket): void {
    this.#again.add(ticket)
    if (ticket.work.parent) this.#calls += 1
  }

  /**
   * Takes the next batch, principals by turns; empty where nothing waits. It has at most as many requests and bytes as
   * the deployment says, or a single request that alone has more bytes. Where several principals wait, none has more
   * than its part of a full batch: who has few requests waits no longer for the many of another than needs be. A request
   * whose runner died is a batch of its own; where others wait, every second batch is theirs, lest the queue stand still
   * after each death.
   */
  take(): Ticket[] {
    const alone = this.#firstAgain
    this.#tookAgain = alone !== undefined && !(this.#tookAgain && this.#waiting.length > 0)
    if (alone && this.#tookAgain) {
      this.#again.delete(alone)
      if (alone.work.parent) this.#calls -= 1
      return [alone]
    }
    const { maxSize, maxBytes } = this.deployment.batch
    const part = Math.ceil(maxSize / this.#waiting.principals)
    const parts = new Map<string, number>()
    const batch: Ticket[] = []
    let bytes = 0
    for (let next = this.#waiting.peek(); next; next = this.#waiting.peek()) {
      const taken = parts.get(next.principal) ?? 0
      bytes += next.work.body.length
      if (batch.length > 0 && (bytes > maxBytes || taken === part)) break
      parts.set(next.principal, taken + 1)
      this.#waiting.shift()
      if (next.work.parent) this.#calls -= 1
      batch.push(next)
      if (batch.length === maxSize) break
    }
    return batch
  }

  /** How long the next batch should still wait for company behind a running one, in milliseconds. */
  patienceMs(nowMs: number): number {
    const { maxSize, maxDelayMs } = this.deployment.batch
    if (this.#again.size > 0 || this.#waiting.length >= maxSize) return 0
    const oldestMs = this.oldestMs
    return Number.isFinite(oldestMs) ? Math.max(0, oldestMs + maxDelayMs - nowMs) : 0
  }

  /** Runs something when the next batch has waited long enough; only one such wait is kept. */
  wakeAfter(delayMs: number, wake: () => void): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null
      wake()
    }, delayMs).unref()
  }

  /**
   * Who makes room for a newcomer in a full queue: the last request of the principal with the most, where that one
   * has more than the newcomer's principal would have; `null` where the newcomer has to go.
   */
  yielding(principal: string): Ticket | null {
    const last = this.#waiting.lastOfLongest()
    return last && last.length > this.#waiting.lengthOf(principal) + 1 ? last.entry : null
  }

  /** Whether anybody else than a principal waits. */
  holdsOthers(principal: string): boolean {
    if (this.#waiting.length > this.#waiting.lengthOf(principal)) return true
    for (const ticket of this.#again) if (ticket.principal !== principal) return true
    return false
  }

  /** Whether any of those that wait is as asked for. */
  holds(test: (ticket: Ticket) => boolean): boolean {
    for (const ticket of [...this.#again, ...this.#waiting]) if (test(ticket)) return true
    return false
  }

  /** Fails every request that waits. */
  failAll(error: unknown): void {
    for (const ticket of [...this.#again, ...this.#waiting]) ticket.fail(error)
  }
}
