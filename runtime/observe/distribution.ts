/**
 * How many numbers were at most as large as each of some fixed bounds, with their count and their sum: what a
 * histogram of Prometheus is made of. Adding one costs some nanoseconds and allocates nothing.
 */
export class Distribution {
  /** The bounds, rising. */
  readonly bounds: readonly number[]
  /** The bounds with one beyond all numbers, which ends each search. */
  readonly #limits: Float64Array
  /** One count for each of these. */
  readonly #counts: Float64Array
  #sum = 0

  /** @throws {TypeError} where the bounds do not rise. */
  constructor(bounds: readonly number[]) {
    if (bounds.some((bound, index) => !(bound > (bounds[index - 1] ?? Number.NEGATIVE_INFINITY)))) {
      throw new TypeError(`The bounds of a distribution must rise; got ${bounds.join(', ')}.`)
    }
    this.bounds = Object.freeze([...bounds])
    this.#limits = Float64Array.from([...bounds, Number.POSITIVE_INFINITY])
    this.#counts = new Float64Array(bounds.length + 1)
  }

  /** The sum of all numbers. */
  get sum(): number {
    return this.#sum
  }

  /** How many numbers there are. */
  get count(): number {
    let count = 0
    for (const one of this.#counts) count += one
    return count
  }

  /** Adds a number. */
  add(value: number): void {
    let index = 0
    while (value > (this.#limits[index] ?? value)) index += 1
    this.#counts[index] = (this.#counts[index] ?? 0) + 1
    this.#sum += value
  }

  /** How many numbers are at most as large as each bound, those of the smaller bounds included. */
  cumulative(): readonly number[] {
    let sum = 0
    return this.bounds.map((_, index) => {
      sum += this.#counts[index] ?? 0
      return sum
    })
  }
}
