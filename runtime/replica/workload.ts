/** A batch in a runner's hands. Its `Workload` alone changes it. */
export interface SentBatch {
  readonly size: number
  readonly sentMs: number
  /** Requests that have not been answered. */
  open: number
  /** Calls of its requests that have not been answered. */
  calls: number
  /** Whether its requests have made calls. */
  called: boolean
  /** Since when it waits for calls. */
  waitsSinceMs: number
  /** How long it has waited for calls before, in milliseconds. */
  waitedMs: number
}

/** How much one runner takes. */
export interface WorkloadLimits {
  /** Batches that it works on side by side. */
  readonly concurrency: number
  /** Batches that may be on their way to it beside those. */
  readonly ahead: number
}

/** How much the latest batch counts in the average. */
const latestShare = 0.2

/**
 * The batches that a runner has in hand. One whose requests wait for calls of other functions takes up none of its
 * places: another is worked on meanwhile. The runner counts in the same way.
 */
export class Workload {
  readonly #limits: WorkloadLimits
  #batches = 0
  #waiting = 0
  #callers = 0
  #batchMs = 0
  /** Since when it works on the batch that it works on: since it came, or since the one before was done or waits. */
  #workingSinceMs = 0
  #busyMs = 0
  #busyShare = 0
  #busySinceMs: number

  constructor(limits: WorkloadLimits, nowMs: number) {
    this.#limits = limits
    this.#busySinceMs = nowMs
  }

  /** The batches in hand. */
  get batches(): number {
    return this.#batches
  }

  /** Batches that it can be given now. */
  get room(): number {
    const { concurrency, ahead } = this.#limits
    return Math.max(0, concurrency + ahead - this.#working)
  }

  /** Whether a batch given now would be worked on at once. */
  get free(): boolean {
    return this.#working < this.#limits.concurrency
  }

  /** Whether any of its batches waits for calls. */
  get lends(): boolean {
    return this.#waiting > 0
  }

  /** Whether each of its batches waits for calls, and there is one. */
  get waits(): boolean {
    return this.#waiting > 0 && this.#waiting === this.#batches
  }

  /** Whether any of its batches has made calls, be they answered or not. */
  get calls(): boolean {
    return this.#callers > 0
  }

  /** What a batch takes on the average, in milliseconds, without its waits for calls; 0 before the first. */
  get batchMs(): number {
    return this.#batchMs
  }

  /** The share of its time at work while more waited, as last measured; 0 before. */
  get busyShare(): number {
    return this.#busyShare
  }

  get #working(): number {
    return this.#batches - this.#waiting
  }

  /** How much longer it will work on what it works on, as far as its batches tell, in milliseconds. */
  remainingMs(nowMs: number): number {
    return this.#working === 0 ? 0 : Math.max(0, this.#workingSinceMs + this.#batchMs - nowMs)
  }

  /** Takes a batch in. */
  add(size: number, nowMs: number): SentBatch {
    if (this.#working === 0) this.#workingSinceMs = nowMs
    this.#batches += 1
    return { size, sentMs: nowMs, open: size, calls: 0, called: false, waitsSinceMs: 0, waitedMs: 0 }
  }

  /** A request of a batch makes a call. */
  callBegan(batch: SentBatch, nowMs: number): void {
    batch.calls += 1
    if (batch.calls > 1) return
    if (!batch.called) this.#callers += 1
    batch.called = true
    batch.waitsSinceMs = nowMs
    this.#waiting += 1
    this.#workingSinceMs = nowMs
  }

  /** A call of a batch was answered, or nobody waits for it any more. */
  callEnded(batch: SentBatch, nowMs: number): void {
    batch.calls -= 1
    if (batch.calls > 0) return
    if (this.#working === 0) this.#workingSinceMs = nowMs
    this.#waiting -= 1
    batch.waitedMs += nowMs - batch.waitsSinceMs
  }

  /** A batch whose calls have ended has been answered. `pressing`: more waited meanwhile. How long it was worked on. */
  end(batch: SentBatch, nowMs: number, { pressing }: { readonly pressing: boolean }): number {
    const { concurrency } = this.#limits
    this.#batches -= 1
    if (batch.called) this.#callers -= 1
    const alone = concurrency === 1 && !batch.called
    const tookMs = alone ? nowMs - this.#workingSinceMs : nowMs - batch.sentMs - batch.waitedMs
    this.#workingSinceMs = nowMs
    // Somebody who asks one thing after the other is not helped by another runner.
    if (this.#working > 0 || pressing) this.#busyMs += tookMs / concurrency
    this.#batchMs = this.#batchMs === 0 ? tookMs : this.#batchMs + latestShare * (tookMs - this.#batchMs)
    return tookMs
  }

  /** Finds out the {@link busyShare} since the last call, by the batches that have ended since. */
  measure(nowMs: number): void {
    this.#busyShare = this.#busyMs / Math.max(1, nowMs - this.#busySinceMs)
    this.#busyMs = 0
    this.#busySinceMs = nowMs
  }

  /** Forgets every batch: the runner has died. */
  clear(): void {
    this.#batches = 0
    this.#waiting = 0
    this.#callers = 0
  }
}
