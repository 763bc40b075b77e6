/** How many requests each principal has at a time. */
export class Shares {
  readonly #counts = new Map<string, number>()

  /** The requests of a principal that have not been answered. */
  of(principal: string): number {
    return this.#counts.get(principal) ?? 0
  }

  /** Counts a request that has come. */
  add(principal: string): void {
    this.#counts.set(principal, this.of(principal) + 1)
  }

  /** Counts a request that has been answered. */
  remove(principal: string): void {
    const left = this.of(principal) - 1
    if (left > 0) this.#counts.set(principal, left)
    else this.#counts.delete(principal)
  }
}
