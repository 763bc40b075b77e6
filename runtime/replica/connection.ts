import type { Socket } from 'bun'
import { type Frame, FrameDecoder, type FrameKind } from './frame.ts'
import { FrameWriter, type PayloadPart } from './frame-writer.ts'

/**
 * One end of a socket that carries frames. Frames sent within one turn of the loop leave in one write. What
 * the socket does not take is kept, in order, until it does; callers bound what they send ahead.
 */
export class FrameConnection {
  readonly #socket: Socket<unknown>
  readonly #decoder = new FrameDecoder()
  readonly #writer = new FrameWriter()
  #scheduled = false
  #blocked = false
  #ending = false

  constructor(socket: Socket<unknown>) {
    this.#socket = socket
  }

  /**
   * Sends a frame. After the socket has closed it does nothing: whoever waits learns it by the close.
   *
   * @throws {RangeError} where the payload is beyond the limit of a frame.
   */
  send(kind: FrameKind, id: number, flags: number, payload: readonly PayloadPart[], tookUs = 0): void {
    this.#writer.add(kind, id, flags, payload, tookUs)
    this.#schedule()
  }

  /** Sends a frame with a head, which is JSON already. @throws {RangeError} as {@link send} */
  sendWithHead(kind: FrameKind, id: number, flags: number, head: string, body: Uint8Array): void {
    this.#writer.addWithHead(kind, id, flags, head, body)
    this.#schedule()
  }

  /** The frames that are complete with these bytes. */
  receive(bytes: Uint8Array): Frame[] {
    // Bun gives each chunk memory of its own, which is never shared and not used again.
    return this.#decoder.push(bytes as Uint8Array<ArrayBuffer>)
  }

  /** To be called when the socket takes bytes again. */
  drained(): void {
    if (!this.#blocked) return
    this.#blocked = false
    this.#flush()
  }

  /** Sends what waits, then closes. */
  end(): void {
    this.#ending = true
    if (!this.#blocked) this.#flush()
  }

  #schedule(): void {
    if (this.#scheduled || this.#blocked) return
    this.#scheduled = true
    setImmediate(this.#turn)
  }

  readonly #turn = (): void => {
    this.#scheduled = false
    if (!this.#blocked) this.#flush()
  }

  #flush(): void {
    if (!this.#writer.flush(this.#socket)) this.#blocked = true
    else if (this.#ending) this.#socket.end()
  }
}
