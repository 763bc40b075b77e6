const initialSlots = 64
/** More than half of the slots are never taken, so that a search ends soon. */
const slotsPerValue = 2

/**
 * Values by ids that are whole numbers from 1 to 2³² - 1, such as those of frames: open addressing with linear probing
 * (Knuth, "The Art of Computer Programming", volume 3, section 6.4, algorithms L and R). Made for ids that rise by one:
 * they fall into slots side by side.
 *
 * It does what a `Map` does, but lets go at once of what is deleted; for why that counts see `LinkedLine`.
 */
export class IdMap<Value extends object | string | number> {
  /** The id in each slot; 0 where it is empty. */
  #ids = new Uint32Array(initialSlots)
  #values: (Value | undefined)[] = emptySlots(initialSlots)
  #size = 0

  /** How many values there are. */
  get size(): number {
    return this.#size
  }

  /** The value of an id; `undefined` where there is none. */
  get(id: number): Value | undefined {
    return this.#values[this.#slotOf(id)]
  }

  /** Whether an id has a value. */
  has(id: number): boolean {
    return this.get(id) !== undefined
  }

  /** Gives an id a value, in place of the one that it has. */
  set(id: number, value: Value): void {
    let slot = this.#slotOf(id)
    if (this.#ids[slot] === 0) {
      this.#size += 1
      if (this.#size * slotsPerValue > this.#ids.length) {
        this.#grow()
        slot = this.#slotOf(id)
      }
    }
    this.#ids[slot] = id
    this.#values[slot] = value
  }

  /** Takes an id out. Whether it had a value. */
  delete(id: number): boolean {
    let hole = this.#slotOf(id)
    if (this.#values[hole] === undefined) return false
    this.#size -= 1
    const mask = this.#ids.length - 1
    // Who stands further from home than the hole moves into it: a search would end there.
    for (let slot = (hole + 1) & mask; this.#ids[slot] !== 0; slot = (slot + 1) & mask) {
      const home = (this.#ids[slot] ?? 0) & mask
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue
      this.#ids[hole] = this.#ids[slot] ?? 0
      this.#values[hole] = this.#values[slot]
      hole = slot
    }
    this.#ids[hole] = 0
    this.#values[hole] = undefined
    return true
  }

  /** Takes everything out. */
  clear(): void {
    this.#ids.fill(0)
    this.#values.fill(undefined)
    this.#size = 0
  }

  /** All ids, in no order that means anything. */
  *keys(): Generator<number, void, undefined> {
    for (const id of this.#ids) if (id !== 0) yield id
  }

  /** All values, in no order that means anything. */
  *values(): Generator<Value, void, undefined> {
    for (const value of this.#values) if (value !== undefined) yield value
  }

  /** Where an id is, or would be put. */
  #slotOf(id: number): number {
    const mask = this.#ids.length - 1
    let slot = id & mask
    while (this.#ids[slot] !== 0 && this.#ids[slot] !== id) slot = (slot + 1) & mask
    return slot
  }

  #grow(): void {
    const ids = this.#ids
    const values = this.#values
    this.#ids = new Uint32Array(2 * ids.length)
    this.#values = emptySlots(2 * ids.length)
    for (const [index, id] of ids.entries()) {
      if (id === 0) continue
      const slot = this.#slotOf(id)
      this.#ids[slot] = id
      this.#values[slot] = values[index]
    }
  }
}

function emptySlots<Value>(count: number): (Value | undefined)[] {
  return Array.from({ length: count }, () => undefined)
}
