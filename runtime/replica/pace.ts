/** How much a new measurement counts beside all before it. */
const weightOfNew = 0.2

/** How quickly a queue is served, learnt from what has been served: moving averages, in milliseconds. */
export class Pace {
  #batchMs: number | null = null
  #requestMs: number | null = null

  /** How long a batch takes in a runner; `null` before one has ended. */
  get batchMs(): number | null {
    return this.#batchMs
  }

  /**
   * Takes in a batch that has ended.
   *
   * @param size its requests, from 1
   * @param atOnce the batches that were worked on side by side, from 1
   */
  add(durationMs: number, size: number, atOnce: number): void {
    this.#batchMs = average(this.#batchMs, durationMs)
    this.#requestMs = average(this.#requestMs, durationMs / size / atOnce)
  }

  /** How long requests take to be served that stand in line; `null` before anything is known. */
  waitMs(requests: number): number | null {
    return this.#requestMs === null ? null : this.#requestMs * requests
  }
}

function average(before: number | null, value: number): number {
  return before === null ? value : before + weightOfNew * (value - before)
}
