/** How much a new measurement counts beside all before it. */
const weightOfNew = 0.2

/** How quickly a queue is served, learnt from what has been served: a moving average. */
export class Pace {
  #requestMs: number | null = null

  /**
   * Takes in a batch that has ended. By Little's law, what is in hand by the time that it takes is what is served.
   *
   * @param durationMs from its sending to its last answer
   * @param size its requests, from 1
   * @param atOnce the batches in hand at that time, from 1
   */
  add(durationMs: number, size: number, atOnce: number): void {
    const requestMs = durationMs / size / atOnce
    const before = this.#requestMs ?? requestMs
    this.#requestMs = before + weightOfNew * (requestMs - before)
  }

  /** How long requests take to be served that stand in line; `null` before anything is known. */
  waitMs(requests: number): number | null {
    return this.#requestMs === null ? null : this.#requestMs * requests
  }
}
