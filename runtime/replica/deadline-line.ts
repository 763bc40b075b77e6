import { LinkedLine, type Place } from './linked-line.ts'

/** What has a time from its arrival on. */
export interface Timed {
  /** When it came, on the clock of `performance.now`. */
  readonly arrivedMs: number
}

/**
 * Things that all have the same time, in the order in which they came: one timer serves them all, however many come
 * and go.
 */
export class DeadlineLine<Item extends Timed> {
  readonly #timeoutMs: number
  readonly #overdue: (item: Item) => void
  /** In the order of coming, which is that of the deadlines. */
  readonly #waiting = new LinkedLine<Item>()
  #timer: Timer | null = null

  /** @param overdue is called once for each item that is still there when its time is up; it is then out */
  constructor(timeoutMs: number, overdue: (item: Item) => void) {
    this.#timeoutMs = timeoutMs
    this.#overdue = overdue
  }

  /** Starts an item's time; the items come in the order of their arrival. */
  add(item: Item): Place<Item> {
    this.#timer ??= this.#wakeAfter(this.#timeoutMs)
    return this.#waiting.add(item)
  }

  /** Takes an item out. Whether it was there. */
  delete(place: Place<Item>): boolean {
    return this.#waiting.delete(place)
  }

  #wakeAfter(delayMs: number): Timer {
    return setTimeout(() => this.#wake(), Math.ceil(delayMs)).unref()
  }

  /** The timer is not moved when the first item goes, so there may be nothing to do. */
  #wake(): void {
    this.#timer = null
    const nowMs = performance.now()
    for (let item = this.#waiting.first; item; item = this.#waiting.first) {
      const leftMs = item.arrivedMs + this.#timeoutMs - nowMs
      if (leftMs > 0) {
        this.#timer ??= this.#wakeAfter(leftMs)
        return
      }
      this.#waiting.shift()
      this.#overdue(item)
    }
  }
}
