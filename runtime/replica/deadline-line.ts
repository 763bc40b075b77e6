/**
 * Things that all have the same time, in the order in which they came: one timer serves them all, however many come
 * and go. Adding and taking out cost as much as a map does.
 */
export class DeadlineLine<Item> {
  readonly #timeoutMs: number
  readonly #overdue: (item: Item) => void
  /** When each came; in the order of coming, which is that of the deadlines. */
  readonly #waiting = new Map<Item, number>()
  #timer: Timer | null = null

  /** @param overdue is called once for each item that is still there when its time is up; it is then out */
  constructor(timeoutMs: number, overdue: (item: Item) => void) {
    this.#timeoutMs = timeoutMs
    this.#overdue = overdue
  }

  /** Starts an item's time; not one that is there already. */
  add(item: Item, nowMs: number = performance.now()): void {
    this.#waiting.set(item, nowMs)
    this.#timer ??= this.#wakeAfter(this.#timeoutMs)
  }

  /** Takes an item out. Whether it was there. */
  delete(item: Item): boolean {
    return this.#waiting.delete(item)
  }

  #wakeAfter(delayMs: number): Timer {
    return setTimeout(() => this.#wake(), Math.ceil(delayMs)).unref()
  }

  /** The timer is not moved when the first item goes, so there may be nothing to do. */
  #wake(): void {
    this.#timer = null
    const nowMs = performance.now()
    for (const [item, sinceMs] of this.#waiting) {
      const leftMs = sinceMs + this.#timeoutMs - nowMs
      if (leftMs > 0) {
        this.#timer ??= this.#wakeAfter(leftMs)
        return
      }
      this.#waiting.delete(item)
      this.#overdue(item)
    }
  }
}
