/** A replica that died before it had been of use for this long died of its start. */
const shortLifeMs = 500
/** How long the start after two short lives in a row waits: doubled with each further one, up to the longest. */
const firstPauseMs = 100
const longestPauseMs = 2_000

/**
 * Says how long the next start of a process waits, so that processes that die at once do not keep the machine busy
 * with their starts. One short life is replaced at once; a long one between ends the row. Times are milliseconds of
 * one clock, which never goes back.
 */
export class RestartPace {
  #shortLives = 0
  #notBeforeMs = Number.NEGATIVE_INFINITY

  /** To be told when a process has died, or could not be started; `usefulMs` is how long it was of use. */
  died(usefulMs: number, nowMs: number): void {
    this.#shortLives = usefulMs < shortLifeMs ? this.#shortLives + 1 : 0
    if (this.#shortLives > 1)
      this.#notBeforeMs = nowMs + Math.min(longestPauseMs, firstPauseMs * 2 ** (this.#shortLives - 2))
  }

  /** How long the next start has to wait. */
  waitMs(nowMs: number): number {
    return Math.max(0, this.#notBeforeMs - nowMs)
  }
}
