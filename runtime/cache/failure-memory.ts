/** How long a failure is remembered. */
export interface FailureMemoryOptions {
  /** How long the first failure in a row is remembered, in milliseconds; each further one doubles it. */
  readonly firstMs: number
  /** The longest that a failure is remembered, in milliseconds. */
  readonly longestMs: number
  /** The most keys remembered; the oldest is forgotten first. */
  readonly maxKeys: number
}

interface RememberedFailure<Failure> {
  readonly failure: Failure
  readonly untilMs: number
  readonly inARow: number
}

/**
 * Remembers what failed and why, so that it is not tried again at once: 1, 2, 4, … times the first span, up to
 * the longest. The row goes on after its time has passed; only a success ends it. Time is the caller's, so the
 * policy is the same on any clock.
 */
export class FailureMemory<Failure> {
  readonly #options: FailureMemoryOptions
  readonly #failures = new Map<string, RememberedFailure<Failure>>()

  constructor(options: FailureMemoryOptions) {
    this.#options = options
  }

  /** The failure that still forbids another try. */
  get(key: string, nowMs: number): Failure | undefined {
    const remembered = this.#failures.get(key)
    return remembered && nowMs < remembered.untilMs ? remembered.failure : undefined
  }

  /** Remembers a failure. */
  add(key: string, failure: Failure, nowMs: number): void {
    const inARow = (this.#failures.get(key)?.inARow ?? 0) + 1
    const { firstMs, longestMs, maxKeys } = this.#options
    this.#failures.delete(key)
    this.#failures.set(key, {
      failure,
      inARow,
      untilMs: nowMs + Math.min(longestMs, firstMs * 2 ** (inARow - 1)),
    })
    const [oldest] = this.#failures.keys()
    if (oldest !== undefined && this.#failures.size > maxKeys) this.#failures.delete(oldest)
  }

  /** Forgets a key: it has succeeded, or what it stands for has changed. */
  delete(key: string): void {
    this.#failures.delete(key)
  }
}
