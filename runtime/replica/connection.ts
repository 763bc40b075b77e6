import type { Socket } from 'bun'
import { type Frame, FrameDecoder, type FrameKind, maxFrameBytes } from './frame.ts'
import { FrameWriter, type PayloadPart } from './frame-writer.ts'

/**
 * One end of a socket that carries frames. Frames sent within one turn of the loop leave in one write, at the end of the
 * turn or when somebody who knows that no more will come says so. What the socket does not take is kept, in order, until
 * it does; callers bound what they send ahead.
 */
export class FrameConnection {
  readonly #socket: Socket<unknown>
  readonly #decoder: FrameDecoder
  readonly #writer = new FrameWriter()
  #scheduled: ReturnType<typeof setImmediate> | null = null
  #blocked = false
  #ending = false

  constructor(socket: Socket<unknown>, maxPayloadBytes: number = maxFrameBytes) {
    this.#socket = socket
    this.#decoder = new FrameDecoder(maxPayloadBytes)
  }

  /** The most bytes of a payload that the other end may send. */
  set maxPayloadBytes(bytes: number) {
    this.#decoder.maxPayloadBytes = bytes
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

  /**
   * Adds a frame with a head, which is JSON already: it leaves with what is sent after it, or with the next
   * {@link flush}. @throws {RangeError} as {@link send}
   */
  addWithHead(kind: FrameKind, id: number, flags: number, head: string, body: Uint8Array): void {
    this.#writer.addWithHead(kind, id, flags, head, body)
  }

  /** Writes what waits now rather than at the end of the turn, which would cost the loop another round. */
  flush(): void {
    if (this.#scheduled) clearImmediate(this.#scheduled)
    this.#scheduled = null
    if (!this.#blocked) this.#write()
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
    this.#write()
  }

  /** Sends what waits, then closes. */
  end(): void {
    this.#ending = true
    this.flush()
  }

  /** Closes at once, whatever waits. */
  terminate(): void {
    this.#socket.terminate()
  }

  #schedule(): void {
    if (!this.#blocked) this.#scheduled ??= setImmediate(this.#turn)
  }

  readonly #turn = (): void => {
    this.#scheduled = null
    if (!this.#blocked) this.#write()
  }

  #write(): void {
    if (!this.#writer.flush(this.#socket)) this.#blocked = true
    else if (this.#ending) this.#socket.end()
  }
}
