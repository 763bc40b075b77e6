import { LRUCache } from 'lru-cache'
import { FailureMemory } from '../cache/failure-memory.ts'
import type { AnyIsoplexError } from '../error/error.ts'

/** How long a load that failed is not tried again: doubled each time, up to the longest. */
const failureOptions = { firstMs: 1_000, longestMs: 60_000, maxKeys: 1_000 }
/** A load that was under way at so many deaths of replicas is suspected to be their reason. */
const suspectDeaths = 2
/** How much the latest load counts in the average. */
const latestShare = 0.3
/** What a load is held to take that has not been measured. */
const unmeasuredMs = 1_000

/** What became of the loads of each queue, by its key. */
export class LoadHistory {
  /** Why a queue has no runner. */
  readonly #failures = new FailureMemory<AnyIsoplexError>(failureOptions)
  /** Why a queue has no further runner beside the one that serves it. */
  readonly #spreadFailures = new FailureMemory<AnyIsoplexError>(failureOptions)
  /** Replicas that have died during loads since the last that came up. */
  readonly #deaths = new LRUCache<string, number>({ max: failureOptions.maxKeys })
  /** Suspects that are being tried alone. */
  readonly #trials = new Set<string>()
  readonly #averagesMs = new LRUCache<string, number>({ max: failureOptions.maxKeys })

  /** Why a queue is not to be loaded now, if that failed a moment ago. */
  failure(key: string): AnyIsoplexError | undefined {
    return this.#failures.get(key, performance.now())
  }

  /** Why a queue that is served is not to have a further runner now. */
  spreadFailure(key: string): AnyIsoplexError | undefined {
    return this.#spreadFailures.get(key, performance.now())
  }

  /** Whether a load may be why replicas died: it is not to be tried beside others. */
  isSuspect(key: string): boolean {
    return (this.#deaths.get(key) ?? 0) >= suspectDeaths
  }

  /** Whether a load is being tried alone. */
  isTried(key: string): boolean {
    return this.#trials.has(key)
  }

  /** What a load takes: the average of those that came up, the latest counting most. */
  expectedMs(key: string): number {
    return this.#averagesMs.get(key) ?? unmeasuredMs
  }

  /** Notes a load that came up. */
  cameUp(key: string, loadMs: number): void {
    const before = this.#averagesMs.get(key) ?? loadMs
    this.#averagesMs.set(key, before + latestShare * (loadMs - before))
    this.#failures.delete(key)
    this.#spreadFailures.delete(key)
    this.acquit(key)
  }

  /** Notes a load that failed; `kind` says whether another runner serves the queue. */
  failed(key: string, error: AnyIsoplexError, kind: 'first' | 'further'): void {
    const failures = kind === 'first' ? this.#failures : this.#spreadFailures
    failures.add(key, error, performance.now())
  }

  /** Notes the death of a replica with the load under way. */
  died(key: string): void {
    this.#deaths.set(key, (this.#deaths.get(key) ?? 0) + 1)
  }

  /** Notes the death of a replica in which nothing else went on. */
  suspect(key: string): void {
    this.#deaths.set(key, suspectDeaths)
  }

  /** A suspect is to be tried alone. */
  try(key: string): void {
    this.#trials.add(key)
  }

  /** Ends a trial: replicas died of something else. */
  acquit(key: string): void {
    this.#deaths.delete(key)
    this.#trials.delete(key)
  }

  /** Ends a trial that has proved the suspicion right: it goes on. */
  condemn(key: string): void {
    this.#trials.delete(key)
  }
}
