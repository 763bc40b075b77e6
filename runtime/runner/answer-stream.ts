import { streamWindowBytes } from './stream.ts'

/** Credit goes back in pieces of at least this size, so that many small reads cost one message. */
const creditBytes = streamWindowBytes / 4

/**
 * The other side of an answer that a runner streams, in the gateway or the page: pieces come in, somebody reads, credit
 * goes back for what was read. Pieces that came before the end reach the reader before it learns of the end, be it good
 * or bad.
 */
export class AnswerStream {
  readonly readable: ReadableStream<Uint8Array>
  readonly #giveCredit: (bytes: number) => void
  #waiting: Uint8Array[] = []
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null
  #wanted = false
  #end: { readonly error: unknown } | null = null
  #owed = 0

  constructor(giveCredit: (bytes: number) => void, cancelled: () => void) {
    this.#giveCredit = giveCredit
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
          this.#waiting = []
          cancelled()
        },
      },
      // The stream itself keeps nothing: an error would drop what it keeps.
      { highWaterMark: 0 },
    )
  }

  /** Hands a piece on. */
  push(piece: Uint8Array): void {
    if (!this.#controller) return
    this.#waiting.push(piece)
    this.#serve()
  }

  /** Ends the stream; an error breaks it off, so that the reader can tell it from a whole one. */
  end(error?: unknown): void {
    this.#end ??= { error }
    this.#serve()
  }

  /** Gives a reader that waits the next piece, and ends the stream after the last. */
  #serve(): void {
    const piece = this.#wanted ? this.#waiting.shift() : undefined
    if (piece) {
      this.#wanted = false
      this.#controller?.enqueue(piece)
      this.#repay(piece.length)
    }
    if (this.#end && this.#waiting.length === 0) this.#finish(this.#end.error)
  }

  #finish(error: unknown): void {
    const controller = this.#controller
    this.#controller = null
    // Bun's server forgets what it was given in the same turn as an error, and the last piece may be such.
    if (error === undefined) controller?.close()
    else setTimeout(() => controller?.error(error), 0)
  }

  #repay(bytes: number): void {
    this.#owed += bytes
    if (this.#end || this.#owed < creditBytes) return
    this.#giveCredit(this.#owed)
    this.#owed = 0
  }
}
