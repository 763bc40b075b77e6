/**
 * The frames between gateway and runners: a header of 12 bytes, then the payload.
 *
 * ```
 * 0  u32  payload bytes
 * 4  u32  request id (0 where the frame is about the runner)
 * 8  u8   kind
 * 9  u8   flags
 * 10 u16  unused, zero
 * ```
 *
 * Numbers are little-endian. A payload with a head is `u32 head bytes | head as JSON | body`.
 */
export const frameHeaderBytes = 12

/** What a frame says. */
export const frameKinds = Object.freeze({
  /** Gateway: a request; payload with a head. */
  request: 1,
  /** Gateway: nobody waits for the reply any more. */
  cancel: 2,
  /** Gateway: the runner may send that many more bytes of a stream; payload u32. */
  credit: 3,
  /** Gateway: finish what is in hand, then end. */
  stop: 4,
  /** Runner: who I am; payload JSON. */
  hello: 16,
  /** Runner: the model is loaded; payload JSON. */
  ready: 17,
  /** Runner: I could not come up; payload JSON, an error in its wire form. */
  failed: 18,
  /** Runner: a whole reply; payload with a head. */
  reply: 19,
  /** Runner: the request failed; payload JSON, an error in its wire form. */
  refusal: 20,
  /** Runner: a streamed reply begins; payload JSON, its head. */
  streamStart: 21,
  /** Runner: a piece of it. */
  streamChunk: 22,
  /** Runner: it is complete; with `streamBroken` it broke off. */
  streamEnd: 23,
} as const)

/** Flags of a frame. */
export const frameFlags = Object.freeze({
  /** On `request`: the next frame is of the same batch. */
  more: 1,
  /** On `streamEnd`: the stream broke off. */
  streamBroken: 2,
} as const)

/** One of the kinds of {@link frameKinds}. */
export type FrameKind = (typeof frameKinds)[keyof typeof frameKinds]

/** A frame as it was read. The payload may be a view of a larger buffer. */
export interface Frame {
  readonly kind: FrameKind
  readonly flags: number
  readonly id: number
  readonly payload: Uint8Array<ArrayBuffer>
}

/** The most bytes of a payload: a larger length means that the two ends have lost step. */
export const maxFrameBytes = 2 ** 31

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const noBytes = new Uint8Array()

/**
 * Makes a frame; the payload's parts are sent one after the other, not joined.
 *
 * @throws {RangeError} where the payload is beyond {@link maxFrameBytes}.
 */
export function encodeFrame(kind: FrameKind, id: number, flags = 0, ...payload: Uint8Array[]): Uint8Array[] {
  const length = payload.reduce((total, part) => total + part.length, 0)
  if (length > maxFrameBytes) throw beyondLimit(length)
  const header = new Uint8Array(frameHeaderBytes)
  const view = new DataView(header.buffer)
  view.setUint32(0, length, true)
  view.setUint32(4, id, true)
  view.setUint8(8, kind)
  view.setUint8(9, flags)
  return [header, ...payload]
}

/** The payload of a frame with a head. */
export function encodeHead(head: unknown, body: Uint8Array = noBytes): Uint8Array[] {
  const json = encodeJson(head)
  const length = new Uint8Array(4)
  new DataView(length.buffer).setUint32(0, json.length, true)
  return [length, json, body]
}

/** Reads a payload with a head. The body is a view of the payload. */
export function decodeHead<Head>(payload: Uint8Array<ArrayBuffer>): {
  readonly head: Head
  readonly body: Uint8Array<ArrayBuffer>
} {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
  const end = 4 + view.getUint32(0, true)
  return { head: decodeJson<Head>(payload.subarray(4, end)), body: payload.subarray(end) }
}

/** Makes a payload of JSON. */
export function encodeJson(value: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(value))
}

/** Reads a payload of JSON. The sender is one of our own processes, which is what the type rests on. */
export function decodeJson<Value>(payload: Uint8Array): Value {
  return JSON.parse(decoder.decode(payload)) as Value
}

/**
 * Cuts a stream of bytes into frames. A frame that came in one piece is not copied.
 *
 * @throws {RangeError} where a length is beyond {@link maxFrameBytes}.
 */
export class FrameDecoder {
  #parts: Uint8Array<ArrayBuffer>[] = []
  #buffered = 0

  /** The frames that are complete with this chunk, in order. The chunk must not change afterwards. */
  push(chunk: Uint8Array<ArrayBuffer>): Frame[] {
    this.#parts.push(chunk)
    this.#buffered += chunk.length
    const frames: Frame[] = []
    for (let frame = this.#next(); frame; frame = this.#next()) frames.push(frame)
    return frames
  }

  #next(): Frame | null {
    if (this.#buffered < frameHeaderBytes) return null
    const header = this.#peek(frameHeaderBytes)
    const view = new DataView(header.buffer, header.byteOffset, header.byteLength)
    const length = view.getUint32(0, true)
    if (length > maxFrameBytes) throw beyondLimit(length)
    if (this.#buffered < frameHeaderBytes + length) return null
    const whole = this.#peek(frameHeaderBytes + length)
    this.#drop(frameHeaderBytes + length)
    return {
      kind: view.getUint8(8) as FrameKind,
      flags: view.getUint8(9),
      id: view.getUint32(4, true),
      payload: whole.subarray(frameHeaderBytes),
    }
  }

  /** The first bytes in one piece; parts are joined only where the piece spans several. */
  #peek(length: number): Uint8Array<ArrayBuffer> {
    const [first] = this.#parts
    if (first && first.length >= length) return first.subarray(0, length)
    const needed: Uint8Array<ArrayBuffer>[] = []
    for (let count = 0, part = 0; count < length; part += 1) {
      const bytes = this.#parts[part] ?? noBytes
      needed.push(bytes)
      count += bytes.length
    }
    const joined = concat(needed)
    this.#parts.splice(0, needed.length, joined)
    return joined.subarray(0, length)
  }

  #drop(length: number): void {
    this.#buffered -= length
    const [first] = this.#parts
    if (!first) return
    if (first.length === length) this.#parts.shift()
    else this.#parts[0] = first.subarray(length)
  }
}

function beyondLimit(length: number): RangeError {
  return new RangeError(`A frame of ${length} bytes is beyond the limit of ${maxFrameBytes}.`)
}

/** Joins bytes into one piece. */
export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((total, part) => total + part.length, 0))
  let offset = 0
  for (const part of parts) {
    joined.set(part, offset)
    offset += part.length
  }
  return joined
}
