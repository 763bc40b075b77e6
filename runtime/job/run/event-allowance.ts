/** The events that a job may report at once, and those a second that it may go on with. */
const burst = 1_000
const eventsPerSecond = 200

/** How many events a job may report: a burst, then so many a second (a token bucket). */
export class EventAllowance {
  readonly #now: () => number
  #left = burst
  #atMs: number

  /** `now` is a clock in milliseconds that never goes back. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
    this.#atMs = now()
  }

  /** Takes one event off; says whether there was one to take. */
  take(): boolean {
    const nowMs = this.#now()
    this.#left = Math.min(burst, this.#left + ((nowMs - this.#atMs) / 1_000) * eventsPerSecond)
    this.#atMs = nowMs
    if (this.#left < 1) return false
    this.#left -= 1
    return true
  }
}
