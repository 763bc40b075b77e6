import { Waits } from './waits.ts'

/** Lets one piece of work on at a time, in order; while one waits for others to answer it, the next one may begin. */
export class Turns {
  readonly #waiting: (() => void)[] = []
  #running = 0

  /** Runs work in its turn. What it waits for is to be counted to the waits that it gets. */
  async take<Value>(work: (waits: Waits) => Promise<Value>): Promise<Value> {
    if (this.#running > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#running += 1
    // Work that is answered goes on at once: it may be what another turn waits for.
    const waits = new Waits((waiting) => (waiting ? this.#leave() : this.#enter()))
    try {
      return await work(waits)
    } finally {
      this.#leave()
    }
  }

  #enter(): void {
    this.#running += 1
  }

  #leave(): void {
    this.#running -= 1
    const next = this.#running === 0 ? this.#waiting.shift() : undefined
    if (!next) return
    this.#running += 1
    next()
  }
}
