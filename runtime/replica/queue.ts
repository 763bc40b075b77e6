import type { ResolvedModel } from '../model/resolve.ts'
import type { Deployment } from './deployment.ts'
import type { RunnerLink } from './runner-link.ts'
import type { Ticket } from './ticket.ts'

/** The requests that wait for one model of one deployment, and the runners that serve them. */
export class RequestQueue {
  readonly key: string
  readonly deployment: Deployment
  readonly model: ResolvedModel | null
  readonly links = new Set<RunnerLink>()
  readonly #waiting = new Set<Ticket>()
  /** Requests whose runner died: they go first, one to a batch. */
  readonly #again = new Set<Ticket>()
  #timer: Timer | null = null

  constructor(key: string, deployment: Deployment, model: ResolvedModel | null) {
    this.key = key
    this.deployment = deployment
    this.model = model
  }

  /** How many requests wait. */
  get length(): number {
    return this.#waiting.size + this.#again.size
  }

  /** The principal whose request waits first; `null` where none waits. */
  get principal(): string | null {
    const [first] = this.#again.size > 0 ? this.#again : this.#waiting
    return first?.work.head.principal ?? null
  }

  /** When the request that has waited longest arrived; infinite where none waits. */
  get oldestMs(): number {
    const [again] = this.#again
    const [first] = this.#waiting
    return Math.min(
      again?.arrivedMs ?? Number.POSITIVE_INFINITY,
      first?.arrivedMs ?? Number.POSITIVE_INFINITY,
    )
  }

  /** Adds a request at the end; it leaves by itself when it is settled. */
  add(ticket: Ticket): void {
    this.#waiting.add(ticket)
    ticket.onSettled(() => {
      this.#waiting.delete(ticket)
      this.#again.delete(ticket)
    })
  }

  /** Puts a request whose runner died in front. */
  addAgain(ticket: Ticket): void {
    this.#again.add(ticket)
  }

  /** Takes the next batch; empty where nothing waits. */
  take(): Ticket[] {
    const [alone] = this.#again
    if (alone) {
      this.#again.delete(alone)
      return [alone]
    }
    const batch: Ticket[] = []
    for (const ticket of this.#waiting) {
      if (batch.length === this.deployment.batch.maxSize) break
      this.#waiting.delete(ticket)
      batch.push(ticket)
    }
    return batch
  }

  /** How long the next batch should still wait for company behind a running one, in milliseconds. */
  patienceMs(nowMs: number): number {
    const { maxSize, maxDelayMs } = this.deployment.batch
    if (this.#again.size > 0 || this.#waiting.size >= maxSize) return 0
    const [first] = this.#waiting
    return first ? Math.max(0, first.arrivedMs + maxDelayMs - nowMs) : 0
  }

  /** Runs something when the next batch has waited long enough; only one such wait is kept. */
  wakeAfter(delayMs: number, wake: () => void): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null
      wake()
    }, delayMs).unref()
  }

  /** Fails every request that waits. */
  failAll(error: unknown): void {
    for (const ticket of [...this.#again, ...this.#waiting]) ticket.fail(error)
  }
}
