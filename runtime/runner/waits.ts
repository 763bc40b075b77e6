/** Counts what is waited for, and tells when the first begins and when the last has ended. */
export class Waits {
  readonly #tell: (waiting: boolean) => void
  #count = 0

  constructor(tell: (waiting: boolean) => void) {
    this.#tell = tell
  }

  /** Something is waited for from now on; to be called what is given, once or more often, ends that. */
  begin(): () => void {
    this.#count += 1
    if (this.#count === 1) this.#tell(true)
    let ended = false
    return () => {
      if (ended) return
      ended = true
      this.#count -= 1
      if (this.#count === 0) this.#tell(false)
    }
  }
}
