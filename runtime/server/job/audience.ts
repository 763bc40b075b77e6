/** Whoever waits for a reply that takes its time: a client that may leave, of a server that may stop. */
export class Audience implements Disposable {
  readonly #leaving = new AbortController()
  readonly #reasons: readonly AbortSignal[]
  readonly #leave = (): void => this.#leaving.abort()

  /** @param reasons each ends the waiting; they may live for ever, and keep nothing of this */
  constructor(reasons: readonly AbortSignal[]) {
    this.#reasons = reasons
    for (const reason of reasons) {
      if (reason.aborted) this.#leave()
      else reason.addEventListener('abort', this.#leave, { once: true })
    }
  }

  /** Fires when nobody waits any more. */
  get signal(): AbortSignal {
    return this.#leaving.signal
  }

  /** Ends the waiting. */
  [Symbol.dispose](): void {
    for (const reason of this.#reasons) reason.removeEventListener('abort', this.#leave)
    this.#leave()
  }
}
