/** Where an item stands in a line. */
export interface Place<Item> {
  readonly item: Item
  /** The line; `null` once the item is out of it. */
  line: LinkedLine<Item> | null
  before: Place<Item> | null
  after: Place<Item> | null
}

/**
 * Items in the order in which they came, each of which can be taken out wherever it stands.
 *
 * A `Map` or a `Set` would do the same, but JavaScriptCore's keep what they held: a table that has become too small
 * points to the one after it, so once the first of them is old, a collection of young objects frees none of the
 * others. Where thousands come and go a second that costs more than all else; these links are cut as items leave.
 */
export class LinkedLine<Item> {
  #first: Place<Item> | null = null
  #last: Place<Item> | null = null
  #length = 0

  /** How many items there are. */
  get length(): number {
    return this.#length
  }

  /** The item that came first; `undefined` where there is none. */
  get first(): Item | undefined {
    return this.#first?.item
  }

  /** The item that came last; `undefined` where there is none. */
  get last(): Item | undefined {
    return this.#last?.item
  }

  /** Adds an item behind all others. */
  add(item: Item): Place<Item> {
    const place: Place<Item> = { item, line: this, before: this.#last, after: null }
    if (this.#last) this.#last.after = place
    else this.#first = place
    this.#last = place
    this.#length += 1
    return place
  }

  /** Takes an item out. Whether it was in this line. */
  delete(place: Place<Item>): boolean {
    if (place.line !== this) return false
    const { before, after } = place
    if (before) before.after = after
    else this.#first = after
    if (after) after.before = before
    else this.#last = before
    place.line = null
    place.before = null
    place.after = null
    this.#length -= 1
    return true
  }

  /** Takes the item out that came first; `undefined` where there is none. */
  shift(): Item | undefined {
    const first = this.#first
    if (!first) return undefined
    this.delete(first)
    return first.item
  }

  /** All items in their order. The one that was given last may be taken out meanwhile. */
  *[Symbol.iterator](): Generator<Item, void, undefined> {
    for (let place = this.#first; place; ) {
      const next = place.after
      yield place.item
      place = next
    }
  }
}
