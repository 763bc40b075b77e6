import type { AnyIterable } from '../define/handle.ts'

/** Takes values in batches from where they come from. */
export class BatchSource<Value> {
  readonly #batchSize: number
  readonly #take: () => IteratorResult<Value> | PromiseLike<IteratorResult<Value>>
  readonly #return: () => unknown
  readonly #waits: boolean
  #ended = false
  #taking = false

  constructor(values: AnyIterable<Value>, batchSize: number) {
    this.#batchSize = batchSize
    this.#waits = Symbol.asyncIterator in values
    const iterator =
      Symbol.asyncIterator in values ? values[Symbol.asyncIterator]() : values[Symbol.iterator]()
    this.#take = () => iterator.next()
    this.#return = () => iterator.return?.()
  }

  /** The next batch: one that is not full is the last, and after it come empty ones. One call at a time. */
  async next(): Promise<readonly Value[]> {
    const batch: Value[] = []
    this.#taking = true
    try {
      while (!this.#ended && batch.length < this.#batchSize) {
        const taken = this.#take()
        // Values that are at hand cost no turn each.
        const { done, value } = this.#waits ? await taken : (taken as IteratorResult<Value>)
        if (done) this.#ended = true
        else batch.push(value)
      }
      return batch
    } catch (error) {
      this.#ended = true
      throw error
    } finally {
      this.#taking = false
    }
  }

  /**
   * Ends the values where they have not ended by themselves. A value that is being waited for may never come: the end
   * is told, and not waited for then.
   */
  async end(): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    const returned = Promise.resolve(this.#return())
    if (this.#taking) returned.catch(() => undefined)
    else await returned
  }
}
