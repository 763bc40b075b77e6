import { LinkedLine, type Place } from './linked-line.ts'

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
  readonly entries: LinkedLine<Entry>
  credit: number
  /** Where its turn is; `null` while nothing of it waits. */
  turn: Place<Flow<Entry>> | null
}

/** So many flows in which nothing waits are kept at hand beside those in which something does. */
const mostSpareFlows = 64

/**
 * A waiting line in which principals take turns: deficit round robin (Shreedhar and Varghese, "Efficient Fair Queuing
 * Using Deficit Round Robin", 1996). Over time everyone who waits is served the same cost, within a quantum and the
 * cost of one entry, however much one of them brings; entries of one principal keep their order. A principal of whom
 * nothing waits saves up nothing.
 */
export class FairLine<Entry> {
  readonly #options: FairLineOptions<Entry>
  readonly #flows = new Map<string, Flow<Entry>>()
  /** The flows in which something waits, in the order of turns. */
  readonly #turns = new LinkedLine<Flow<Entry>>()
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
    return this.#turns.length
  }

  /** Adds an entry behind those of its principal. */
  add(entry: Entry): Place<Entry> {
    const flow = this.#flowOf(this.#options.principalOf(entry))
    flow.turn ??= this.#turns.add(flow)
    this.#length += 1
    return flow.entries.add(entry)
  }

  /** Takes an entry out, wherever it stands; whether it was there. */
  delete(place: Place<Entry>): boolean {
    const flow = this.#flows.get(this.#options.principalOf(place.item))
    if (!flow?.entries.delete(place)) return false
    this.#shrink(flow)
    return true
  }

  /** Who is next; it stays in the line. */
  peek(): Entry | undefined {
    return this.#next()?.entries.first
  }

  /** Takes the next out of the line. */
  shift(): Entry | undefined {
    const flow = this.#next()
    const entry = flow?.entries.shift()
    if (!flow || entry === undefined) return undefined
    flow.credit -= this.#options.costOf(entry)
    this.#shrink(flow)
    return entry
  }

  /** The first of each principal. */
  *firsts(): Generator<Entry, void, undefined> {
    for (const { entries } of this.#turns) {
      const { first } = entries
      if (first !== undefined) yield first
    }
  }

  /** How many of a principal wait. */
  lengthOf(principal: string): number {
    return this.#flows.get(principal)?.entries.length ?? 0
  }

  /** The last entry of the principal with the most, and how many that one has. */
  lastOfLongest(): { readonly entry: Entry; readonly length: number } | undefined {
    let longest: LinkedLine<Entry> | undefined
    for (const { entries } of this.#turns) {
      if (entries.length > (longest?.length ?? 0)) longest = entries
    }
    const entry = longest?.last
    return entry === undefined ? undefined : { entry, length: longest?.length ?? 0 }
  }

  /** All who wait, by principal. */
  *[Symbol.iterator](): Generator<Entry, void, undefined> {
    for (const { entries } of this.#turns) yield* entries
  }

  /** The flow whose first entry is next. */
  #next(): Flow<Entry> | undefined {
    const { costOf, quantum } = this.#options
    for (let flow = this.#turns.first; flow; flow = this.#turns.first) {
      const entry = flow.entries.first
      if (entry === undefined || flow.credit >= costOf(entry)) return flow
      flow.credit += quantum
      if (this.#turns.length === 1 || !flow.turn) continue
      this.#turns.delete(flow.turn)
      flow.turn = this.#turns.add(flow)
    }
    return undefined
  }

  #flowOf(principal: string): Flow<Entry> {
    const known = this.#flows.get(principal)
    if (known) return known
    if (this.#flows.size >= 2 * this.#turns.length + mostSpareFlows) this.#forgetSpares()
    const flow: Flow<Entry> = { entries: new LinkedLine(), credit: 0, turn: null }
    this.#flows.set(principal, flow)
    return flow
  }

  #forgetSpares(): void {
    for (const [principal, { turn }] of this.#flows) if (!turn) this.#flows.delete(principal)
  }

  /** One entry of a flow has gone. */
  #shrink(flow: Flow<Entry>): void {
    this.#length -= 1
    if (flow.entries.length > 0 || !flow.turn) return
    this.#turns.delete(flow.turn)
    flow.turn = null
    flow.credit = 0
  }
}
