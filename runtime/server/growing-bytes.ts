const firstCapacityBytes = 64 * 1024

/**
 * Bytes that come in pieces, copied together as they come: however small the pieces are, they cost no more memory
 * than twice their bytes.
 */
export class GrowingBytes {
  readonly #expectedBytes: number
  #memory: Uint8Array<ArrayBuffer>
  #length = 0

  /** @param expectedBytes how many bytes are announced; where more come, more are taken. */
  constructor(expectedBytes: number) {
    this.#expectedBytes = expectedBytes
    this.#memory = new Uint8Array(Math.min(expectedBytes, firstCapacityBytes))
  }

  /** How many bytes there are. */
  get length(): number {
    return this.#length
  }

  /** Adds a piece, which may be used for something else afterwards. */
  add(piece: Uint8Array): void {
    const length = this.#length + piece.length
    if (length > this.#memory.length) this.#grow(length)
    this.#memory.set(piece, this.#length)
    this.#length = length
  }

  /** All bytes, in memory of just their size. Nothing is to be added afterwards. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#length === this.#memory.length ? this.#memory : this.#memory.slice(0, this.#length)
  }

  #grow(length: number): void {
    const doubled = Math.max(length, this.#memory.length * 2)
    const capacity = length <= this.#expectedBytes ? Math.min(doubled, this.#expectedBytes) : doubled
    const memory = new Uint8Array(capacity)
    memory.set(this.#memory.subarray(0, this.#length))
    this.#memory = memory
  }
}
