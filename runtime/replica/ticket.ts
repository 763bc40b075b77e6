import type { ResolvedModel } from '../model/resolve.ts'
import type { Deployment } from './deployment.ts'
import type { RequestHead } from './message.ts'
import type { RunnerLink } from './runner-link.ts'

/** A request as it is handed to the scheduler. */
export interface Work {
  readonly deployment: Deployment
  /** The model that answers; `null` for a function without one. */
  readonly model: ResolvedModel | null
  readonly head: RequestHead
  readonly body: Uint8Array
  /** Fires when the client has gone. */
  readonly signal: AbortSignal
}

/** What a function answered: its own status, headers and body. */
export interface Answer {
  readonly status: number
  readonly headers: readonly (readonly [string, string])[]
  readonly body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>
}

/** A request from its arrival to its answer, however often it is sent to a runner. */
export class Ticket {
  readonly id: number
  readonly work: Work
  readonly arrivedMs: number
  /** How often it was in the hands of a runner that died. */
  deaths = 0
  /** The runner that has it in hand. */
  link: RunnerLink | null = null
  readonly #resolve: (answer: Answer) => void
  readonly #reject: (error: unknown) => void
  readonly #cleanUp: (() => void)[] = []
  #settled = false

  constructor(
    id: number,
    work: Work,
    arrivedMs: number,
    resolve: (answer: Answer) => void,
    reject: (error: unknown) => void,
  ) {
    this.id = id
    this.work = work
    this.arrivedMs = arrivedMs
    this.#resolve = resolve
    this.#reject = reject
  }

  /** Who pays for it. */
  get principal(): string {
    return this.work.head.principal
  }

  /** Whether the caller has had its answer, or has gone. */
  get settled(): boolean {
    return this.#settled
  }

  /** Runs something once the ticket is settled, such as clearing its timer. */
  onSettled(cleanUp: () => void): void {
    this.#cleanUp.push(cleanUp)
  }

  /** Gives the caller its answer; only the first of `answer` and `fail` counts. */
  answer(answer: Answer): void {
    if (this.#settle()) this.#resolve(answer)
  }

  /** Gives the caller an error. */
  fail(error: unknown): void {
    if (this.#settle()) this.#reject(error)
  }

  #settle(): boolean {
    if (this.#settled) return false
    this.#settled = true
    for (const cleanUp of this.#cleanUp.splice(0)) cleanUp()
    return true
  }
}
