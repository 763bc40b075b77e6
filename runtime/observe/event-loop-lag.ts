import { Distribution } from './distribution.ts'

/** How late timers fired in the last while, in milliseconds. */
export interface LagReport {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

/** How an event loop is watched. */
export interface EventLoopLagOptions {
  /** How often it is looked at, in milliseconds. A look costs about 50 microseconds of an idle process. @default 20 */
  readonly intervalMs?: number
  /** How far the report looks back, in looks. @default 500, ten seconds */
  readonly window?: number
}

const bounds = [0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
// A loop that stood still for so long is not counted finer: a suspended machine would be, for hours.
const mostMissed = 1_000

/**
 * Measures how late the timers of this thread fire: what anything that happens here has to wait before it is
 * noticed. While the loop stands still it would be asked once only, however long that lasts; so the looks that were
 * missed are counted with the wait that each would have had. The process may end in spite of it.
 */
export class EventLoopLag implements Disposable {
  /** Every look since the start, in seconds. */
  readonly seconds: Distribution = new Distribution(bounds)
  readonly #intervalMs: number
  readonly #recent: Float64Array
  readonly #timer: Timer
  #looks = 0
  #dueMs: number

  constructor({ intervalMs = 20, window = 500 }: EventLoopLagOptions = {}) {
    this.#intervalMs = intervalMs
    this.#recent = new Float64Array(window)
    this.#dueMs = performance.now() + intervalMs
    this.#timer = setTimeout(() => this.#look(), intervalMs)
    this.#timer.unref()
  }

  /** What the last looks were like; zeros before the first. Costs some ten microseconds. */
  report(): LagReport {
    const recent = this.#recent.slice(0, Math.min(this.#looks, this.#recent.length)).toSorted()
    const at = (share: number): number => recent[Math.ceil(recent.length * share) - 1] ?? 0
    return { p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) }
  }

  /** Looks no more. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
  }

  #look(): void {
    const nowMs = performance.now()
    const lateMs = Math.max(0, nowMs - this.#dueMs)
    const missed = Math.min(mostMissed, Math.floor(lateMs / this.#intervalMs))
    for (let look = 0; look <= missed; look += 1) this.#add(lateMs - look * this.#intervalMs)
    this.#dueMs = nowMs + this.#intervalMs
    this.#timer.refresh()
  }

  #add(lateMs: number): void {
    this.#recent[this.#looks % this.#recent.length] = lateMs
    this.#looks += 1
    this.seconds.add(lateMs / 1_000)
  }
}
