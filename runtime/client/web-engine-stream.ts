/** Who sends the pieces of a stream. */
export interface PieceSource {
  /** So many bytes were read: as many more may come. */
  read(bytes: number): void
  /** Nobody reads on. */
  cancelled(): void
}

/**
 * A stream of pieces that a worker sends. Pieces that came before the end reach the reader before it learns of the
 * end, be it good or bad.
 */
export class PieceStream {
  readonly readable: ReadableStream<Uint8Array>
  readonly #source: PieceSource
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null
  #waiting: Uint8Array[] = []
  #wanted = false
  #end: { readonly error: unknown } | null = null

  constructor(source: PieceSource) {
    this.#source = source
    this.readable = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller
        },
        pull: () => {
          this.#wanted = true
          this.#serve()
        },
        cancel: () => {
          this.#controller = null
          source.cancelled()
        },
      },
      // The stream itself keeps nothing: an error would drop what it keeps.
      { highWaterMark: 0 },
    )
  }

  /** Hands a piece on. */
  push(piece: Uint8Array): void {
    this.#waiting.push(piece)
    this.#serve()
  }

  /** Ends the stream; an error breaks it off. Further calls do nothing. */
  end(error?: unknown): void {
    this.#end ??= { error }
    this.#serve()
  }

  #serve(): void {
    const piece = this.#wanted ? this.#waiting.shift() : undefined
    if (piece) {
      this.#wanted = false
      this.#controller?.enqueue(piece)
      this.#source.read(piece.length)
    }
    if (!this.#end || this.#waiting.length > 0) return
    if (this.#end.error === undefined) this.#controller?.close()
    else this.#controller?.error(this.#end.error)
    this.#controller = null
  }
}
