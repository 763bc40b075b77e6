import { fetchFailed } from './refusal.ts'

/**
 * The life of a request: it ends by the caller's signal, by a time limit, or because all is done. Whatever belongs
 * to the request hangs on {@link Lifetime.signal}; once it fires, its reason is why the request failed.
 */
export class Lifetime {
  readonly #controller = new AbortController()
  readonly #outer: AbortSignal | undefined
  readonly #forward = (): void => this.#controller.abort(this.#outer?.reason)
  #timer: Timer | undefined

  constructor(outer: AbortSignal | undefined) {
    this.#outer = outer
    if (outer?.aborted) this.#forward()
    else outer?.addEventListener('abort', this.#forward, { once: true })
  }

  /** Fires at the end, whatever the reason. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Ends the life with `FETCH_FAILED`, `timeout`, unless {@link Lifetime.inTime} is called in time. */
  within(limitMs: number, message: string): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#controller.abort(fetchFailed('timeout', message)), limitMs)
  }

  /** What {@link Lifetime.within} waits for has come. */
  inTime(): void {
    clearTimeout(this.#timer)
  }

  /** Waits for a promise as long as the life lasts. */
  async wait<Value>(promise: Promise<Value>): Promise<Value> {
    const { promise: ended, reject } = Promise.withResolvers<never>()
    const end = (): void => reject(this.signal.reason)
    this.signal.addEventListener('abort', end, { once: true })
    if (this.signal.aborted) end()
    try {
      return await Promise.race([ended, promise])
    } finally {
      this.signal.removeEventListener('abort', end)
    }
  }

  /** Ends the life: timer and listener are let go. It may be called again. */
  end(): void {
    this.inTime()
    this.#outer?.removeEventListener('abort', this.#forward)
    this.#controller.abort()
  }
}
