import { isIsoplexError } from '../error/error.ts'
import type { ResolvedModel } from '../model/resolve.ts'
import type { RequestHead } from '../runner/head.ts'
import type { Caller } from './caller.ts'
import type { Deployment } from './deployment.ts'
import type { Place } from './linked-line.ts'
import type { RequestQueue } from './queue.ts'
import type { RunnerLink } from './runner-link.ts'

/** A request as it is handed to the scheduler. */
export interface Work {
  readonly deployment: Deployment
  /** The model that answers; `null` for a function without one. */
  readonly model: ResolvedModel | null
  readonly head: RequestHead
  readonly body: Uint8Array
  /** Fires when the client has gone. It may be made when it is first asked for, so ask for what waits only. */
  readonly signal: AbortSignal
  /** On whose behalf it is answered. It may be made when it is first asked for, which only calls do. */
  readonly caller: Caller
  /** The request whose function makes this call; `undefined` where a client asks. */
  readonly parent?: Ticket
  /** How long it may take, in milliseconds, where that is less than its deployment gives. @default the deployment's */
  readonly timeoutMs?: number
  /** Filled in while the request is answered, for whoever handed it in. @default nobody is told */
  readonly timing?: RequestTiming
}

/** Where a request's time went, as far as is known yet. */
export interface RequestTiming {
  /** How long it waited until it was last sent to a runner, in milliseconds. */
  queueMs: number
  /** How long the function took for its batch, in milliseconds; 0 where no runner has answered. */
  computeMs: number
  /** How many requests its batch had; 0 where it was never sent. */
  batchSize: number
  /** The model and the provider that answered; `null` where none has. */
  computedBy: ComputedBy | null
}

/** What computes a runner's answers. */
export interface ComputedBy {
  readonly model: { readonly id: string; readonly version: string }
  /** The provider of its sessions; `null` where it has none. */
  readonly provider: string | null
}

/** Times of which nothing is known yet. */
export function freshTiming(): RequestTiming {
  return { queueMs: 0, computeMs: 0, batchSize: 0, computedBy: null }
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
  readonly timing: RequestTiming
  /** How often it was in the hands of a runner that died. */
  deaths = 0
  /** The runner that has it in hand. */
  link: RunnerLink | null = null
  /** The queue that it has been put into. */
  queue: RequestQueue | null = null
  /** Where it waits there, unless it waits to run again. */
  waiting: Place<Ticket> | null = null
  /** What its `TicketWatch` needs: where it is among those whose callers nobody listens to yet. */
  fresh: Place<Ticket> | null = null
  /** And where among those of the same deadline. */
  deadline: Place<Ticket> | null = null
  /** And what listens to its caller's signal. */
  listener: (() => void) | null = null
  readonly #resolve: (answer: Answer) => void
  readonly #reject: (error: unknown) => void
  #cleanUp: (() => void)[] | null = null
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
    this.timing = work.timing ?? freshTiming()
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

  /** Notes that a runner has it in hand, in a batch of some size. */
  sentTo(link: RunnerLink, batchSize: number, nowMs: number): void {
    this.link = link
    this.timing.batchSize = batchSize
    this.timing.queueMs = nowMs - this.arrivedMs
  }

  /** Runs something once the ticket is settled, such as clearing its timer. */
  onSettled(cleanUp: () => void): void {
    this.#cleanUp ??= []
    this.#cleanUp.push(cleanUp)
  }

  /** Gives the caller its answer; only the first of `answer` and `fail` counts. */
  answer(answer: Answer): void {
    if (!this.#settle()) return
    this.queue?.tally.succeeded(performance.now() - this.arrivedMs)
    this.#resolve(answer)
  }

  /** Gives the caller an error. */
  fail(error: unknown): void {
    if (!this.#settle()) return
    if (this.timing.batchSize === 0) this.timing.queueMs = performance.now() - this.arrivedMs
    this.queue?.tally.failed(isIsoplexError(error) ? error.code : 'INTERNAL')
    this.#reject(error)
  }

  #settle(): boolean {
    if (this.#settled) return false
    this.#settled = true
    this.queue?.drop(this)
    const cleanUps = this.#cleanUp
    this.#cleanUp = null
    if (cleanUps) for (const cleanUp of cleanUps) cleanUp()
    return true
  }
}
