import { beyondLimit, type FrameKind, frameHeaderBytes, maxFrameBytes } from './frame.ts'

/** A piece of a payload; a text is sent as UTF-8. */
export type PayloadPart = string | Uint8Array

/** Takes as many bytes as it can now, and says how many; less than none where it has closed. */
export interface ByteSink {
  write(bytes: Uint8Array): number
}

/** Pieces below this size are copied together; larger ones are handed on as they are. */
const joinBelowBytes = 64 * 1024
const initialBytes = 16 * 1024
/** Memory that had to grow beyond this is not kept for the next frames. */
const keepBytes = 1024 * 1024
/** Bodies begin at multiples of this, so that the numbers of a tensor can be read where they lie. */
const bodyAlignmentBytes = 8
const space = 0x20
/** UTF-8 takes at most so many bytes for one unit of UTF-16. */
const mostBytesPerUnit = 3

/**
 * Frames on their way out. Small ones are put one behind the other into the same memory, so that many leave in
 * one write; large pieces are not copied, and must not change before they have been taken.
 */
export class FrameWriter {
  /** What goes before the bytes from `#start` to `#end`. */
  #ahead: Uint8Array[] = []
  #memory: Buffer<ArrayBuffer> = Buffer.allocUnsafeSlow(initialBytes)
  #view = new DataView(this.#memory.buffer)
  #start = 0
  #end = 0

  /**
   * Adds a frame whose payload is its parts, one after the other.
   *
   * @throws {RangeError} where the payload is beyond {@link maxFrameBytes}; nothing of it is sent then.
   */
  add(kind: FrameKind, id: number, flags: number, parts: readonly PayloadPart[], tookUs = 0): void {
    this.#reserve(parts)
    const header = this.#end
    this.#end += frameHeaderBytes
    let length = 0
    for (const part of parts) length += this.#put(part)
    this.#putHeader(header, kind, id, flags, length, tookUs)
  }

  /**
   * Adds a frame with a head of JSON, as `decodeHead` reads it. Spaces are put behind the head so that the body begins at
   * a multiple of 8 bytes from the start of the frame. @throws {RangeError} as {@link add}
   */
  addWithHead(kind: FrameKind, id: number, flags: number, head: string, body: Uint8Array): void {
    this.#reserve([head, body])
    const header = this.#end
    this.#end += frameHeaderBytes + 4
    const headBytes = this.#put(head) + this.#pad(header)
    this.#view.setUint32(header + frameHeaderBytes, headBytes, true)
    this.#putHeader(header, kind, id, flags, 4 + headBytes + this.#put(body), 0)
  }

  /** Hands on what waits. Whether nothing waits any more: what was not taken stays, in order. */
  flush(sink: ByteSink): boolean {
    for (let first = this.#ahead[0]; first; first = this.#ahead[0]) {
      const taken = sink.write(first)
      if (taken < 0) return this.#clear()
      if (taken < first.length) {
        this.#ahead[0] = first.subarray(taken)
        return false
      }
      this.#ahead.shift()
    }
    const waiting = this.#end - this.#start
    if (waiting > 0) {
      const taken = sink.write(this.#memory.subarray(this.#start, this.#end))
      if (taken >= 0 && taken < waiting) {
        this.#start += taken
        return false
      }
    }
    return this.#clear()
  }

  #clear(): true {
    this.#ahead.length = 0
    this.#start = 0
    this.#end = 0
    if (this.#memory.length > keepBytes) this.#use(Buffer.allocUnsafeSlow(initialBytes))
    return true
  }

  #put(part: PayloadPart): number {
    if (typeof part === 'string') {
      const length = this.#memory.write(part, this.#end)
      this.#end += length
      return length
    }
    if (part.length < joinBelowBytes) {
      this.#memory.set(part, this.#end)
      this.#end += part.length
    } else {
      if (this.#end > this.#start) this.#ahead.push(this.#memory.subarray(this.#start, this.#end))
      this.#ahead.push(part)
      this.#start = this.#end
    }
    return part.length
  }

  /** Puts spaces up to where a body may begin, and says how many. */
  #pad(frameStart: number): number {
    const spaces = -(this.#end - frameStart) & (bodyAlignmentBytes - 1)
    this.#memory.fill(space, this.#end, this.#end + spaces)
    this.#end += spaces
    return spaces
  }

  #putHeader(
    at: number,
    kind: FrameKind,
    id: number,
    flags: number,
    payloadBytes: number,
    tookUs: number,
  ): void {
    const view = this.#view
    view.setUint32(at, payloadBytes, true)
    view.setUint32(at + 4, id, true)
    view.setUint32(at + 8, kind | (flags << 8), true)
    view.setUint32(at + 12, tookUs, true)
  }

  /** Makes room for one frame, so that its header stays where it was put. */
  #reserve(parts: readonly PayloadPart[]): void {
    let payload = 0
    let room = frameHeaderBytes + 4 + bodyAlignmentBytes
    for (const part of parts) {
      payload += part.length
      if (typeof part === 'string') room += part.length * mostBytesPerUnit
      else if (part.length < joinBelowBytes) room += part.length
    }
    if (payload > maxFrameBytes) throw beyondLimit(payload)
    if (this.#end + room <= this.#memory.length) return
    const waiting = this.#memory.subarray(this.#start, this.#end)
    this.#use(Buffer.allocUnsafeSlow(Math.max(2 * this.#memory.length, 2 * (waiting.length + room))))
    this.#memory.set(waiting)
    this.#end = waiting.length
    this.#start = 0
  }

  #use(memory: Buffer<ArrayBuffer>): void {
    this.#memory = memory
    this.#view = new DataView(memory.buffer)
  }
}
