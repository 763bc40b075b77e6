/** How entries of a line are counted. */
export interface FairLineOptions<Entry> {
  /** Whose an entry is. */
  readonly principalOf: (entry: Entry) => string
  /** What an entry weighs, in the unit of the quantum; above 0. */
  readonly costOf: (entry: Entry) => number
  /** What a principal may take at each of its turns. */
  readonly quantum: number
}

interface Flow<Entry> {
  readonly entries: Set<Entry>
  credit: number
}

/**
 * A waiting line in which principals take turns: deficit round robin (Shreedhar and Varghese, "Efficient Fair Queuing
 * Using Deficit Round Robin", 1996). Over time everyone who waits is served the same cost, within a quantum and the
 * cost of one entry, however much one of them brings; entries of one principal keep their order.
 */
export class FairLine<Entry> {
  readonly #options: FairLineOptions<Entry>
  /** In the order of turns. A principal without entries has no flow, and saves up nothing. */
  readonly #flows = new Map<string, Flow<Entry>>()
  #length = 0

  constructor(options: FairLineOptions<Entry>) {
    this.#options = options
  }

  /** How many wait. */
  get length(): number {
    return this.#length
  }

  /** How many principals wait. */
  get principals(): number {
    return this.#flows.size
  }

  /** Adds an entry behind those of its principal. */
  add(entry: Entry): void {
    const principal = this.#options.principalOf(entry)
    const flow = this.#flows.get(principal)
    if (flow) flow.entries.add(entry)
    else this.#flows.set(principal, { entries: new Set([entry]), credit: 0 })
    this.#length += 1
  }

  /** Takes an entry out, wherever it stands; whether it was there. */
  delete(entry: Entry): boolean {
    const principal = this.#options.principalOf(entry)
    const flow = this.#flows.get(principal)
    if (!flow?.entries.delete(entry)) return false
    this.#length -= 1
    if (flow.entries.size === 0) this.#flows.delete(principal)
    return true
  }

  /** Who is next; it stays in the line. */
  peek(): Entry | undefined {
    const { costOf, quantum } = this.#options
    for (;;) {
      const [turn] = this.#flows
      if (!turn) return undefined
      const [principal, flow] = turn
      const [entry] = flow.entries
      if (entry === undefined || flow.credit >= costOf(entry)) return entry
      flow.credit += quantum
      if (this.#flows.size === 1) continue
      this.#flows.delete(principal)
      this.#flows.set(principal, flow)
    }
  }

  /** Takes the next out of the line. */
  shift(): Entry | undefined {
    const entry = this.peek()
    if (entry === undefined) return undefined
    const flow = this.#flows.get(this.#options.principalOf(entry))
    if (flow) flow.credit -= this.#options.costOf(entry)
    this.delete(entry)
    return entry
  }

  /** The first of each principal. */
  *firsts(): Generator<Entry, void, undefined> {
    for (const { entries } of this.#flows.values()) {
      const [first] = entries
      if (first !== undefined) yield first
    }
  }

  /** How many of a principal wait. */
  lengthOf(principal: string): number {
    return this.#flows.get(principal)?.entries.size ?? 0
  }

  /** The last entry of the principal with the most, and how many that one has. */
  lastOfLongest(): { readonly entry: Entry; readonly length: number } | undefined {
    let longest: ReadonlySet<Entry> | undefined
    for (const { entries } of this.#flows.values()) {
      if (entries.size > (longest?.size ?? 0)) longest = entries
    }
    const entry = longest && [...longest].at(-1)
    return entry === undefined ? undefined : { entry, length: longest?.size ?? 0 }
  }

  /** All who wait, by principal. */
  *[Symbol.iterator](): Generator<Entry, void, undefined> {
    for (const { entries } of this.#flows.values()) yield* entries
  }
}
