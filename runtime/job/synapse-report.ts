import type { JobEvent } from './event.ts'
import { isEnded, type Job, type JobMetrics } from './job.ts'
import type { Delivery, SynapseConnection } from './synapse-connection.ts'
import { SynapseOutbox, type SynapseParcel } from './synapse-outbox.ts'
import { synapseLog, synapseMetrics, synapseProgress, synapseResult, synapseStatus } from './synapse-shape.ts'
import { toldBy } from './told-event.ts'

/** How a job is reported. */
export interface SynapseReportOptions {
  /** The id that the backend knows the job by. */
  readonly jobId: string
  readonly connection: SynapseConnection
  /** The weights of the action's categories or steps. */
  readonly weights: Readonly<Record<string, number>>
  /** Is told, for people, what could not be reported: each reason once. */
  readonly warn: (text: string) => void
  /** How long what comes is gathered before it is sent, in milliseconds. @default 1000 */
  readonly gatherMs?: number
  /** How long the end of a job may be held up, in milliseconds. @default 10000 */
  readonly flushMs?: number
}

const usualGatherMs = 1_000
const usualFlushMs = 10_000
const firstPauseMs = 500
const longestPauseMs = 30_000
/** Once the job has ended: its end is waited for. */
const longestLastPauseMs = 2_000
/** The token or the job is not known there: nothing that is sent later will be taken either. */
const finalStatuses: readonly (number | null)[] = [401, 403, 404, null]

/**
 * Reports a job to the Synapse backend that it is run for: what comes is gathered, and sent again where the backend
 * cannot be reached or is busy. The job is never held up by it, its end for a bounded time, and it never fails by it.
 */
export class SynapseReport implements Disposable {
  readonly #options: SynapseReportOptions
  readonly #outbox = new SynapseOutbox()
  readonly #warned = new Set<string>()
  /** Fires when nothing is to be sent any more. */
  readonly #over = new AbortController()
  #metrics: JobMetrics = {}
  #sending: Promise<void> | null = null
  #ending = false
  readonly #hurry = Promise.withResolvers<void>()

  constructor(options: SynapseReportOptions) {
    this.#options = options
  }

  /** Reports an event, some time soon. */
  take(event: JobEvent): void {
    const told = toldBy(event)
    if (told === null) return
    switch (told.kind) {
      case 'state':
        // How it has ended goes with its result.
        if (!isEnded(told.state)) this.#outbox.patch({ status: synapseStatus(told.state) })
        break
      case 'progress':
        this.#outbox.patch({ progress_record: synapseProgress(told.progress, this.#options.weights) })
        break
      case 'metrics': {
        const { category, values } = told
        this.#metrics = { ...this.#metrics, [category]: { ...this.#metrics[category], ...values } }
        this.#outbox.patch({ metrics_record: synapseMetrics(this.#metrics) })
        break
      }
      case 'log':
        this.#log(event.atMs, told.event, told.data)
        break
      case 'message':
        this.#log(event.atMs, 'message', { context: told.level, content: told.message })
        break
      case 'dropped':
        this.#log(event.atMs, 'dropped', { count: told.count })
        break
    }
    this.#send()
  }

  /** Reports how a job has ended, and waits until all is sent: not for long, and never for nothing. */
  async end(job: Pick<Job, 'state' | 'error' | 'endedMs' | 'progress'>, value: unknown): Promise<void> {
    if (job.error !== null) {
      const level = job.state === 'cancelled' ? 'warning' : 'danger'
      this.#log(job.endedMs ?? Date.now(), 'message', { context: level, content: job.error.message })
    }
    const result = synapseResult(job, value)
    this.#outbox.patch({
      status: synapseStatus(job.state),
      progress_record: synapseProgress(job.progress, this.#options.weights),
      ...(result === null ? {} : { result }),
    })
    this.#ending = true
    this.#hurry.resolve()
    const timer = setTimeout(() => this.#over.abort(), this.#options.flushMs ?? usualFlushMs)
    this.#send()
    // What was being sent may not have held the end.
    while (this.#sending !== null) await this.#sending
    clearTimeout(timer)
    const { lost } = this.#outbox
    if (lost > 0) this.#options.warn(`${lost} entries of the log were not reported to the Synapse backend.`)
  }

  /** Sends nothing more: whoever can no longer follow the job knows of no end that could be reported. */
  [Symbol.dispose](): void {
    this.#over.abort()
  }

  #log(atMs: number, event: string, data: unknown): void {
    this.#outbox.log(synapseLog(this.#options.jobId, atMs, event, data))
  }

  #send(): void {
    if (this.#over.signal.aborted) return
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = null
      // Something may have come after the last look.
      if (!this.#outbox.isEmpty) this.#send()
    })
  }

  async #sendAll(): Promise<void> {
    if (!this.#ending) await this.#pause(this.#options.gatherMs ?? usualGatherMs)
    for (let parcel = this.#outbox.take(); parcel !== null; parcel = this.#outbox.take()) {
      await this.#deliver(parcel)
      if (this.#over.signal.aborted) return
    }
  }

  /** Sends a parcel until it is delivered or refused; a patch always with what is newest. */
  async #deliver(first: SynapseParcel): Promise<void> {
    let parcel = first
    for (let tried = 0; ; tried += 1) {
      const delivery = await this.#options.connection(parcel, this.#over.signal)
      if (delivery.kind === 'delivered') return
      if (delivery.kind === 'refused') return this.#refused(delivery)
      if (!this.#over.signal.aborted) await this.#pause(delivery.waitMs ?? pauseAfter(tried))
      if (this.#over.signal.aborted) {
        return this.#warn(delivery.reason, 'The end of the job was not reported to the Synapse backend')
      }
      parcel = this.#outbox.freshen(parcel)
    }
  }

  #refused({ status, reason }: Extract<Delivery, { kind: 'refused' }>): void {
    if (finalStatuses.includes(status)) {
      this.#warn(reason, 'Nothing more is reported to the Synapse backend')
      this.#over.abort()
    } else this.#warn(reason, 'Something was not reported to the Synapse backend')
  }

  #warn(reason: string, what: string): void {
    if (this.#warned.has(reason)) return
    this.#warned.add(reason)
    this.#options.warn(`${what}: ${reason.replace(/\.$/, '')}.`)
  }

  /** Waits; no longer than until all is over, or until the job ends. */
  async #pause(durationMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const wake = (): void => resolve()
    const timer = setTimeout(wake, Math.min(durationMs, this.#ending ? longestLastPauseMs : longestPauseMs))
    const { signal } = this.#over
    signal.addEventListener('abort', wake, { once: true })
    await Promise.race(this.#ending ? [promise] : [promise, this.#hurry.promise])
    clearTimeout(timer)
    signal.removeEventListener('abort', wake)
  }
}

/** Twice as long each time, less a random part of up to a half, so that many jobs do not come back at once. */
function pauseAfter(tried: number): number {
  return Math.min(firstPauseMs * 2 ** tried, longestPauseMs) * (1 - Math.random() / 2)
}
