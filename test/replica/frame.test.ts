import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  concat,
  decodeHead,
  decodeJson,
  encodeHead,
  encodeJson,
  FrameDecoder,
  type FrameKind,
  frameFlags,
  frameHeaderBytes,
  frameKinds,
  maxFrameBytes,
} from '../../runtime/replica/frame.ts'
import { FrameWriter } from '../../runtime/replica/frame-writer.ts'
import { drain } from './written-frames.ts'

interface PlainFrame {
  readonly kind: FrameKind
  readonly id: number
  readonly flags: number
  readonly payload: Uint8Array<ArrayBuffer>
  readonly tookUs: number
}

const anyFrame: fc.Arbitrary<PlainFrame> = fc.record({
  kind: fc.constantFrom(...Object.values(frameKinds)),
  id: fc.nat({ max: 0xffff_ffff }),
  flags: fc.nat({ max: 255 }),
  payload: fc.uint8Array({ maxLength: 60 }).map((bytes) => new Uint8Array(bytes)),
  tookUs: fc.nat({ max: 0xffff_ffff }),
})

function encode({ kind, id, flags, payload, tookUs }: PlainFrame): Uint8Array<ArrayBuffer> {
  const writer = new FrameWriter()
  writer.add(kind, id, flags, [payload], tookUs)
  return drain(writer)
}

/** Cuts bytes at the places given, which may coincide: then a piece is empty. */
function cut(bytes: Uint8Array<ArrayBuffer>, places: readonly number[]): Uint8Array<ArrayBuffer>[] {
  const sorted = places.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b)
  return [...sorted, bytes.length].map((end, index) => bytes.slice(sorted[index - 1] ?? 0, end))
}

describe('frames', () => {
  it('come out as they went in, however the stream is cut', () => {
    const places = fc.array(fc.nat(), { maxLength: 40 })
    fc.assert(
      fc.property(fc.array(anyFrame, { maxLength: 12 }), places, (frames, places) => {
        const stream = concat(frames.map(encode))
        const decoder = new FrameDecoder()
        const read = cut(stream, places).flatMap((chunk) => decoder.push(chunk))
        expect(read.map((frame) => ({ ...frame, payload: new Uint8Array(frame.payload) }))).toEqual(frames)
      }),
    )
  })

  it('come out byte by byte', () => {
    const decoder = new FrameDecoder()
    const frame = { kind: frameKinds.reply, id: 7, flags: 1, payload: Uint8Array.of(1, 2, 3), tookUs: 0 }
    const read = [...encode(frame), ...encode({ ...frame, id: 8 })].flatMap((byte) => {
      return decoder.push(Uint8Array.of(byte))
    })
    expect(read.map(({ id, payload }) => [id, [...payload]])).toEqual([
      [7, [1, 2, 3]],
      [8, [1, 2, 3]],
    ])
  })

  it('come out as soon as their last byte is there', () => {
    const decoder = new FrameDecoder()
    const bytes = encode({ kind: frameKinds.stop, id: 0, flags: 0, payload: new Uint8Array(), tookUs: 0 })
    expect(decoder.push(new Uint8Array(bytes.subarray(0, frameHeaderBytes - 1)))).toEqual([])
    expect(decoder.push(new Uint8Array(bytes.subarray(frameHeaderBytes - 1)))).toHaveLength(1)
  })

  it('have no two kinds alike, nor two flags on one bit', () => {
    const kinds = Object.values(frameKinds)
    expect(new Set(kinds).size).toBe(kinds.length)
    const flags = Object.values(frameFlags)
    expect(flags.reduce((all: number, flag) => all | flag, 0)).toBe(
      flags.reduce((sum: number, flag) => sum + flag, 0),
    )
  })

  it('are not copied where they came in one piece', () => {
    const chunk = concat(
      [1, 2].map((id) => encode({ kind: 19, id, flags: 0, payload: Uint8Array.of(id), tookUs: 0 })),
    )
    const read = new FrameDecoder().push(chunk)
    expect(read.map(({ payload }) => payload.buffer)).toEqual([chunk.buffer, chunk.buffer])
  })

  it('of many pieces are joined once, not once a piece', () => {
    const payload = new Uint8Array(32_000_000)
    const stream = new Uint8Array(encode({ kind: frameKinds.request, id: 1, flags: 0, payload, tookUs: 0 }))
    const decoder = new FrameDecoder()
    const started = performance.now()
    let read = 0
    for (let offset = 0; offset < stream.length; offset += 16_384) {
      read += decoder.push(stream.subarray(offset, offset + 16_384)).length
    }
    expect(read).toBe(1)
    // Joined once a piece, this copies 32 GB.
    expect(performance.now() - started).toBeLessThan(2_000)
  })

  it('of a length beyond the limit are refused before a byte of them is kept', () => {
    const header = new Uint8Array(frameHeaderBytes)
    new DataView(header.buffer).setUint32(0, maxFrameBytes + 1, true)
    expect(() => new FrameDecoder().push(header)).toThrow(RangeError)
  })
})

describe('a payload with a head', () => {
  it('comes out as it went in', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.uint8Array(), (head, body) => {
        const payload = concat(encodeHead(head, body))
        const decoded = decodeHead(payload)
        expect(decoded.head).toEqual(JSON.parse(JSON.stringify(head)))
        expect([...decoded.body]).toEqual([...body])
      }),
    )
  })

  it('may have no body', () => {
    expect(decodeHead(concat(encodeHead({ a: 1 }))).body).toHaveLength(0)
  })

  it('is read where it lies within a larger buffer, without a copy of its body', () => {
    const bytes = concat([Uint8Array.of(0, 0, 0), ...encodeHead({ a: 'ä' }, Uint8Array.of(1, 2))])
    const { head, body } = decodeHead(bytes.subarray(3))
    expect(head).toEqual({ a: 'ä' })
    expect([...body]).toEqual([1, 2])
    expect(body.buffer).toBe(bytes.buffer)
  })
})

describe('a payload of JSON', () => {
  it('comes out as it went in', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(decodeJson(encodeJson(value))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })
})

describe('concat', () => {
  it('joins nothing, one and several', () => {
    expect(concat([])).toEqual(new Uint8Array())
    expect(concat([Uint8Array.of(1)])).toEqual(Uint8Array.of(1))
    expect(concat([Uint8Array.of(1), new Uint8Array(), Uint8Array.of(2, 3)])).toEqual(Uint8Array.of(1, 2, 3))
  })

  it('gives memory of its own', () => {
    const part = Uint8Array.of(1)
    expect(concat([part]).buffer).not.toBe(part.buffer)
  })
})
