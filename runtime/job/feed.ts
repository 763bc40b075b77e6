import { isIsoplexError } from '../error/error.ts'
import type { JobEvent } from './event.ts'
import { isEnded, type Job } from './job.ts'
import { Pulses } from './pulse.ts'
import type { JobStore } from './store.ts'

/** How a feed reads. */
export interface JobFeedOptions {
  /** How often a job that is looked at is read, in milliseconds, where nothing was written here. @default 400 */
  readonly everyMs?: number
  /** The most events in one batch. @default 500 */
  readonly batchSize?: number
}

/**
 * Follows jobs for all who look at them. Those who look at one job and have seen the same of it ask the store with one
 * question. While the store is away nothing is new.
 */
export class JobFeed implements Disposable {
  readonly #store: Pick<JobStore, 'get' | 'events'>
  readonly #batchSize: number
  readonly #pulses: Pulses
  readonly #closing = new AbortController()
  readonly #asked = new Map<string, Promise<unknown>>()

  constructor(
    store: Pick<JobStore, 'get' | 'events'>,
    { everyMs = 400, batchSize = 500 }: JobFeedOptions = {},
  ) {
    this.#store = store
    this.#batchSize = batchSize
    this.#pulses = new Pulses(everyMs)
  }

  /** Says that something of a job was written. */
  notice(jobId: string): void {
    this.#pulses.beat(jobId)
  }

  /**
   * The events of a job after a number as they come; ends after the last event of an ended job, with the signal,
   * or with the feed.
   *
   * @throws {IsoplexError} `JOB_NOT_FOUND` where it is forgotten meanwhile.
   */
  async *events(jobId: string, afterSeq: number, until: AbortSignal): AsyncGenerator<readonly JobEvent[]> {
    const signal = AbortSignal.any([until, this.#closing.signal])
    using pulse = this.#pulses.hold(jobId, signal)
    let seen = afterSeq
    let ended = false
    while (!signal.aborted) {
      const batch = (await this.#read(jobId, seen)) ?? []
      const last = batch.at(-1)
      if (last !== undefined) {
        seen = last.seq
        yield batch
        if (batch.some(isEnd)) return
        if (batch.length === this.#batchSize) continue
      } else if (ended) return
      else {
        // Who begins behind the last event never comes to see it.
        ended = isOver(await this.#look(jobId))
        if (ended) continue
      }
      await pulse.next()
    }
  }

  /** A job once it has ended; `null` where the signal comes first. @throws {IsoplexError} `JOB_NOT_FOUND` */
  async ended(jobId: string, until: AbortSignal): Promise<Job | null> {
    const signal = AbortSignal.any([until, this.#closing.signal])
    using pulse = this.#pulses.hold(jobId, signal)
    while (!signal.aborted) {
      const job = await this.#look(jobId)
      if (isOver(job)) return job
      await pulse.next()
    }
    return null
  }

  /** Ends whatever follows a job. */
  [Symbol.dispose](): void {
    this.#closing.abort()
    this.#pulses[Symbol.dispose]()
  }

  #read(jobId: string, afterSeq: number): Promise<readonly JobEvent[] | null> {
    return this.#share(`${jobId} ${afterSeq}`, () => this.#store.events(jobId, afterSeq, this.#batchSize))
  }

  #look(jobId: string): Promise<Job | null> {
    return this.#share(jobId, () => this.#store.get(jobId, null))
  }

  /** Asks once however many ask meanwhile; `null` while the store is away. */
  #share<Answer>(key: string, ask: () => Promise<Answer>): Promise<Answer | null> {
    const asked = this.#asked.get(key)
    // The key says which question it is, and so of what kind its answer is.
    if (asked !== undefined) return asked as Promise<Answer | null>
    const asking = ask()
      .catch((error: unknown) => {
        if (isIsoplexError(error) && error.code === 'JOB_STORE_UNAVAILABLE') return null
        throw error
      })
      .finally(() => this.#asked.delete(key))
    this.#asked.set(key, asking)
    return asking
  }
}

function isEnd({ kind, data }: JobEvent): boolean {
  return kind === 'state' && ['succeeded', 'failed', 'cancelled'].includes(String(data.state))
}

function isOver(job: Job | null): job is Job {
  return job !== null && isEnded(job.state)
}
