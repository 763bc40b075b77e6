/** Reads values one after the other, and lets whoever waits for one look up from time to time. */
export class PatientReader<Value> {
  readonly #values: AsyncIterator<Value>
  #asked = false
  #arrived: (() => IteratorResult<Value>) | null = null
  #wake: () => void = () => undefined

  constructor(values: AsyncIterable<Value>) {
    this.#values = values[Symbol.asyncIterator]()
  }

  /**
   * The next value, or the end; `null` where it has not come in time: then it is what the next call waits for. What the
   * values throw is thrown here.
   */
  async next(patienceMs: number): Promise<IteratorResult<Value> | null> {
    if (!this.#asked) this.#ask()
    if (!this.#arrived) await this.#untilArrival(patienceMs)
    if (!this.#arrived) return null
    const take = this.#arrived
    this.#asked = false
    this.#arrived = null
    return take()
  }

  /** One question for each value, however often somebody looks up: reactions to a promise would add up. */
  #ask(): void {
    this.#asked = true
    const arrive = (take: () => IteratorResult<Value>): void => {
      this.#arrived = take
      this.#wake()
    }
    this.#values.next().then(
      (result) => arrive(() => result),
      (error: unknown) =>
        arrive(() => {
          throw error
        }),
    )
  }

  #untilArrival(patienceMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, patienceMs)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
