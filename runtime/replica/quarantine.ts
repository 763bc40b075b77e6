/** How long whom is kept out. */
export interface QuarantineOptions {
  /** How many deaths are let pass before the first quarantine. */
  readonly toleratedDeaths: number
  /** How long the first quarantine lasts, in milliseconds; each further death doubles it. */
  readonly firstMs: number
  /** The longest quarantine, in milliseconds. */
  readonly longestMs: number
  /** After so long without a death all is forgotten, in milliseconds. */
  readonly forgottenAfterMs: number
  /** The most keys remembered; the oldest is forgotten first. */
  readonly maxKeys: number
}

interface DeathRecord {
  readonly deaths: number
  readonly lastMs: number
  readonly untilMs: number
}

/**
 * Remembers what has ended replicas, and keeps it out for a while: who sends such requests to which function and model
 * costs everybody a restart each time. Time is the caller's.
 */
export class Quarantine {
  readonly #options: QuarantineOptions
  readonly #records = new Map<string, DeathRecord>()

  constructor(options: QuarantineOptions) {
    this.#options = options
  }

  /** Counts a death whose cause is certain. */
  add(key: string, nowMs: number): void {
    const { toleratedDeaths, firstMs, longestMs, forgottenAfterMs, maxKeys } = this.#options
    const before = this.#records.get(key)
    const deaths = before && nowMs - before.lastMs < forgottenAfterMs ? before.deaths + 1 : 1
    const doublings = deaths - toleratedDeaths - 1
    const lastsMs = doublings < 0 ? 0 : Math.min(longestMs, firstMs * 2 ** doublings)
    this.#records.delete(key)
    this.#records.set(key, { deaths, lastMs: nowMs, untilMs: nowMs + lastsMs })
    const [oldest] = this.#records.keys()
    if (oldest !== undefined && this.#records.size > maxKeys) this.#records.delete(oldest)
  }

  /** How much longer a key is kept out, in milliseconds; 0 where it is not. */
  remainingMs(key: string, nowMs: number): number {
    return Math.max(0, (this.#records.get(key)?.untilMs ?? nowMs) - nowMs)
  }

  /** Whether nothing is remembered. */
  get empty(): boolean {
    return this.#records.size === 0
  }
}
