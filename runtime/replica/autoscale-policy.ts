import type { AutoscaleConfig } from '../config/deployment-config.ts'

/** Requests that one replica is to have on the average, where nothing else is said: as Ray Serve has it. */
const defaultTargetOngoing = 2
/** The time over which requests are averaged. Ray Serve takes 30 s, since its replicas take as long to come up. */
const defaultLookBackMs = 10_000
/** How long more replicas must be wanted before they are started. Ray Serve takes 30 s. */
const defaultUpscaleDelayMs = 5_000
/** How long fewer must be enough before the others leave. Ray Serve takes 600 s. */
const defaultDownscaleDelayMs = 120_000

/** How many requests there were, at a time of the caller's clock. */
interface Sample {
  readonly atMs: number
  readonly ongoing: number
}

/**
 * Decides how many replicas there are to be, by the requests that wait and run: so many that each has the target on the
 * average over the look-back. More are taken only after they were wanted for a while without a break, and then as many
 * as are wanted by then; fewer in the same way, and then as many as were wanted most in that while. Where there is none,
 * a request wants one at once. Time is the caller's.
 */
export class AutoscalePolicy {
  readonly #config: Required<AutoscaleConfig>
  #samples: readonly Sample[] = []
  #current: number
  /** Since when more are wanted, or fewer, without a break; `null` where as many as there are will do. */
  #wish: { readonly direction: 'up' | 'down'; readonly sinceMs: number; readonly most: number } | null = null

  /** @param current how many there are already; by default the fewest */
  constructor(config: AutoscaleConfig, current: number = config.min) {
    this.#config = {
      targetOngoing: defaultTargetOngoing,
      lookBackMs: defaultLookBackMs,
      upscaleDelayMs: defaultUpscaleDelayMs,
      downscaleDelayMs: defaultDownscaleDelayMs,
      ...config,
    }
    this.#current = Math.min(config.max, Math.max(config.min, current))
  }

  /** How many there are to be. */
  get current(): number {
    return this.#current
  }

  /** Takes in how many requests wait and run, and says how many replicas there are to be. */
  observe(ongoing: number, nowMs: number): number {
    const { lookBackMs } = this.#config
    this.#samples = [
      ...this.#samples.filter(({ atMs }) => atMs > nowMs - lookBackMs),
      { atMs: nowMs, ongoing },
    ]
    if (this.#current === 0 && ongoing > 0) return this.#settle(1)
    const wanted = this.#wanted()
    if (wanted === this.#current) this.#wish = null
    else this.#consider(wanted, nowMs)
    return this.#current
  }

  #wanted(): number {
    const { min, max, targetOngoing } = this.#config
    const sum = this.#samples.reduce((total, { ongoing }) => total + ongoing, 0)
    return Math.min(max, Math.max(min, Math.ceil(sum / this.#samples.length / targetOngoing)))
  }

  #consider(wanted: number, nowMs: number): void {
    const direction = wanted > this.#current ? 'up' : 'down'
    const wish = this.#wish?.direction === direction ? this.#wish : { direction, sinceMs: nowMs, most: 0 }
    const most = Math.max(wish.most, wanted)
    this.#wish = { direction, sinceMs: wish.sinceMs, most }
    const { upscaleDelayMs, downscaleDelayMs } = this.#config
    const delayMs = direction === 'up' ? upscaleDelayMs : downscaleDelayMs
    if (nowMs - wish.sinceMs >= delayMs) this.#settle(direction === 'up' ? wanted : most)
  }

  #settle(count: number): number {
    this.#current = count
    this.#wish = null
    return count
  }
}
