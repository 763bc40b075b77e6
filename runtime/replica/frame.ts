/**
 * The frames between gateway and runners: a header of 16 bytes, then the payload.
 *
 * ```
 * 0  u32  payload bytes
 * 4  u32  request id (0 where the frame is about the runner)
 * 8  u8   kind
 * 9  u8   flags
 * 10 u16  unused, zero
 * 12 u32  microseconds that the function took, on what answers a request; else 0
 * ```
 *
 * Numbers are little-endian. A payload with a head is `u32 head bytes | head as JSON | body`; a request's
 * head ends in spaces, so that its body begins at a multiple of 8 bytes from the start of the frame.
 */
export const frameHeaderBytes = 16

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
  /** Gateway: the whole answer to a call; payload as of `reply`. */
  callReply: 5,
  /** Gateway: a call failed; payload as of `refusal`. */
  callRefusal: 6,
  /** Gateway: the answer to a call is streamed: payload as of `streamStart`. */
  callStreamStart: 7,
  /** Gateway: a piece of it. */
  callStreamChunk: 8,
  /** Gateway: it is complete; with `streamBroken` it broke off. */
  callStreamEnd: 9,
  /** Runner: who I am; payload JSON. */
  hello: 16,
  /** Runner: the model is loaded; payload JSON. */
  ready: 17,
  /** Runner: I could not come up; payload JSON, an error in its wire form. */
  failed: 18,
  /** Runner: a whole reply; payload with a head, or with `json` the body alone. */
  reply: 19,
  /** Runner: the request failed; payload JSON, an error in its wire form. */
  refusal: 20,
  /** Runner: a streamed reply begins; payload JSON, its head. */
  streamStart: 21,
  /** Runner: a piece of it. */
  streamChunk: 22,
  /** Runner: it is complete; with `streamBroken` it broke off. */
  streamEnd: 23,
  /** Runner: a function calls another one; the id is the call's, unique on this connection. Payload with a head. */
  call: 24,
  /** Runner: nobody waits for the answer to a call any more. */
  callCancel: 25,
  /** Runner: the gateway may send that many more bytes of a call's stream; payload u32. */
  callCredit: 26,
  /** Between gateway and node: a message; payload JSON. */
  control: 32,
  /** Between gateway and node, either way: a question for content; payload JSON, the id is the asker's. */
  question: 33,
  /** The answer to it; payload JSON. */
  answer: 34,
  /** The answer to it; payload bytes. */
  piece: 35,
  /** It cannot be answered. */
  noAnswer: 36,
  /** Between gateway and node, either way: I am here. */
  beat: 37,
} as const)

/** Flags of a frame. */
export const frameFlags = Object.freeze({
  /** On `request`: the next frame is of the same batch. */
  more: 1,
  /** On `streamEnd`: the stream broke off. */
  streamBroken: 2,
  /** On `reply`: a 200 of JSON, whose head needs no words. */
  json: 4,
} as const)

/** One of the kinds of {@link frameKinds}. */
export type FrameKind = (typeof frameKinds)[keyof typeof frameKinds]

/** A frame as it was read. The payload may be a view of a larger buffer. */
export interface Frame {
  readonly kind: FrameKind
  readonly flags: number
  readonly id: number
  readonly payload: Uint8Array<ArrayBuffer>
  /** How long the function took, in microseconds; 0 where the frame answers no request. */
  readonly tookUs: number
}

/** The most bytes of a payload: a larger length means that the two ends have lost step. */
export const maxFrameBytes = 2 ** 31

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const noBytes = new Uint8Array()

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
  const end = 4 + readUint32(payload, 0)
  return { head: decodeJson<Head>(payload.subarray(4, end)), body: payload.subarray(end) }
}

/** Reads a little-endian number of four bytes. */
export function readUint32(bytes: Uint8Array, at: number): number {
  const { [at]: a = 0, [at + 1]: b = 0, [at + 2]: c = 0, [at + 3]: d = 0 } = bytes
  return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0
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
 * Cuts a stream of bytes into frames. A frame that came in one piece is not copied, unless its first bytes came
 * with the end of another that did not.
 *
 * @throws {RangeError} where a length is beyond the limit, {@link maxFrameBytes} by default.
 */
export class FrameDecoder {
  /** The pieces of a frame that has begun, and how many bytes they have to be before it is worth a look. */
  #begun: Uint8Array<ArrayBuffer>[] = []
  #begunBytes = 0
  #neededBytes = frameHeaderBytes
  /** The most bytes of a payload. */
  maxPayloadBytes: number

  constructor(maxPayloadBytes: number = maxFrameBytes) {
    this.maxPayloadBytes = maxPayloadBytes
  }

  /** The frames that are complete with this chunk, in order. The chunk must not change afterwards. */
  push(chunk: Uint8Array<ArrayBuffer>): Frame[] {
    if (this.#begunBytes === 0) return this.#cut(chunk)
    this.#begun.push(chunk)
    this.#begunBytes += chunk.length
    if (this.#begunBytes < this.#neededBytes) return []
    const joined = concat(this.#begun)
    this.#begun = []
    this.#begunBytes = 0
    return this.#cut(joined)
  }

  #cut(bytes: Uint8Array<ArrayBuffer>): Frame[] {
    const frames: Frame[] = []
    let offset = 0
    this.#neededBytes = frameHeaderBytes
    while (bytes.length - offset >= frameHeaderBytes) {
      const length = readUint32(bytes, offset)
      if (length > this.maxPayloadBytes) throw beyondLimit(length, this.maxPayloadBytes)
      const start = offset + frameHeaderBytes
      if (bytes.length - start < length) {
        this.#neededBytes = frameHeaderBytes + length
        break
      }
      frames.push({
        kind: bytes[offset + 8] as FrameKind,
        flags: bytes[offset + 9] ?? 0,
        id: readUint32(bytes, offset + 4),
        payload: bytes.subarray(start, start + length),
        tookUs: readUint32(bytes, offset + 12),
      })
      offset = start + length
    }
    if (offset < bytes.length) {
      this.#begun.push(bytes.subarray(offset))
      this.#begunBytes = bytes.length - offset
    }
    return frames
  }
}

/** The error for a payload that is beyond the limit. */
export function beyondLimit(length: number, limitBytes: number = maxFrameBytes): RangeError {
  return new RangeError(`A frame of ${length} bytes is beyond the limit of ${limitBytes}.`)
}

/** Joins bytes into one piece. */
export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  // It fills memory that has not been cleared before, unlike that of a new array.
  return new Uint8Array(Bun.concatArrayBuffers([...parts]))
}
