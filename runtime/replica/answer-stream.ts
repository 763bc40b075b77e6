/** Bytes of a stream that wait for a slow client before its runner is held back. */
const bufferBytes = 64 * 1024

/** The gateway's side of a streamed answer: pieces come in, the client reads, credit goes back. */
export class AnswerStream {
  readonly readable: ReadableStream<Uint8Array>
  readonly #giveCredit: (bytes: number) => void
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null
  #owed = 0

  constructor(giveCredit: (bytes: number) => void, cancelled: () => void) {
    this.#giveCredit = giveCredit
    this.readable = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller
        },
        pull: () => this.#repay(),
        cancel: () => {
          this.#controller = null
          cancelled()
        },
      },
      new ByteLengthQueuingStrategy({ highWaterMark: bufferBytes }),
    )
  }

  /** Hands a piece on. */
  push(piece: Uint8Array): void {
    if (!this.#controller) return
    this.#owed += piece.length
    this.#controller.enqueue(piece)
    if ((this.#controller.desiredSize ?? 0) > 0) this.#repay()
  }

  /** Ends the stream; an error breaks it off, so that the client can tell it from a whole one. */
  end(error?: Error): void {
    if (error) this.#controller?.error(error)
    else this.#controller?.close()
    this.#controller = null
  }

  #repay(): void {
    if (this.#owed === 0) return
    this.#giveCredit(this.#owed)
    this.#owed = 0
  }
}
