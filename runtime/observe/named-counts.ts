/** Counts by name. The names are those of a closed list: codes, reasons, causes. */
export class NamedCounts<Name extends string> {
  readonly #counts = new Map<Name, number>()

  /** All counts, in the order in which their names first came. */
  get entries(): Iterable<readonly [Name, number]> {
    return this.#counts.entries()
  }

  /** Counts one more of a name. */
  add(name: Name): void {
    this.#counts.set(name, this.get(name) + 1)
  }

  /** How many there are of a name. */
  get(name: Name): number {
    return this.#counts.get(name) ?? 0
  }
}
