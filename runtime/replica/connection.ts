import type { Socket } from 'bun'
import { concat, encodeFrame, type Frame, FrameDecoder, type FrameKind } from './frame.ts'

/** Parts below this size are joined before they are written; larger ones are written as they are. */
const joinBelowBytes = 64 * 1024

/**
 * One end of a socket that carries frames. Frames sent within one turn of the loop leave in one write. What
 * the socket does not take is kept, in order, until it does; callers bound what they send ahead.
 */
export class FrameConnection {
  readonly #socket: Socket<unknown>
  readonly #decoder = new FrameDecoder()
  #waiting: Uint8Array[] = []
  #scheduled = false
  #blocked = false
  #ending = false

  constructor(socket: Socket<unknown>) {
    this.#socket = socket
  }

  /** Sends a frame. After the socket has closed it does nothing: whoever waits learns it by the close. */
  send(kind: FrameKind, id: number, flags: number, payload: readonly Uint8Array[]): void {
    this.#waiting.push(...encodeFrame(kind, id, flags, ...payload))
    if (this.#scheduled || this.#blocked) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#flush()
    })
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

  #flush(): void {
    const parts = joinSmall(this.#waiting)
    this.#waiting = []
    for (const [index, part] of parts.entries()) {
      const written = this.#socket.write(part)
      if (written === part.length) continue
      if (written < 0) return
      this.#blocked = true
      this.#waiting = [part.subarray(written), ...parts.slice(index + 1)]
      return
    }
    if (this.#ending) this.#socket.end()
  }
}

/** Joins neighbours that are small, so that many frames are one write and a large body is not copied. */
function joinSmall(parts: readonly Uint8Array[]): Uint8Array[] {
  const joined: Uint8Array[] = []
  let small: Uint8Array[] = []
  const close = (): void => {
    const [only] = small
    if (only) joined.push(small.length === 1 ? only : concat(small))
    small = []
  }
  for (const part of parts) {
    if (part.length < joinBelowBytes) {
      if (part.length > 0) small.push(part)
    } else {
      close()
      joined.push(part)
    }
  }
  close()
  return joined
}
