import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  concat,
  decodeHead,
  FrameDecoder,
  type FrameKind,
  frameFlags,
  frameHeaderBytes,
  frameKinds,
  maxFrameBytes,
} from '../../runtime/replica/frame.ts'
import { FrameWriter, type PayloadPart } from '../../runtime/replica/frame-writer.ts'
import { drain } from './written-frames.ts'

const text = new TextEncoder()
const hashOf = (bytes: Uint8Array): string => createHash('sha1').update(bytes).digest('hex')
const bytesOf = (part: PayloadPart): Uint8Array => (typeof part === 'string' ? text.encode(part) : part)

/** Frames with payloads of all sizes about the one from which on they are not copied. */
const anyFrame = fc.record({
  kind: fc.constantFrom<FrameKind[]>(...Object.values(frameKinds)),
  id: fc.nat({ max: 0xffff_ffff }),
  flags: fc.nat({ max: 255 }),
  tookUs: fc.nat({ max: 0xffff_ffff }),
  parts: fc.array(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(0, 1, 20_000, 65_535, 65_536, 70_000).map((size) => new Uint8Array(size).fill(size)),
    ),
    { maxLength: 4 },
  ),
})

describe('a writer', () => {
  it('hands on every frame whole and in order, however little is taken at a time', () => {
    const takes = fc.array(fc.nat({ max: 100_000 }), { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(fc.array(anyFrame, { maxLength: 12 }), takes, (frames, takes) => {
        const writer = new FrameWriter()
        const taken: Uint8Array[] = []
        let turn = 0
        const sink = {
          write(bytes: Uint8Array) {
            // Nothing may be taken in one turn, but not in all of them.
            const wanted = (takes[turn % takes.length] ?? 0) + (turn % 2) * 999
            turn += 1
            taken.push(new Uint8Array(bytes.subarray(0, wanted)))
            return Math.min(wanted, bytes.length)
          },
        }
        for (const { kind, id, flags, parts, tookUs } of frames) {
          writer.add(kind, id, flags, parts, tookUs)
          writer.flush(sink)
        }
        while (!writer.flush(sink));
        const read = new FrameDecoder().push(concat(taken))
        expect(read.map(({ payload, ...frame }) => ({ ...frame, payload: hashOf(payload) }))).toEqual(
          frames.map(({ parts, ...frame }) => ({ ...frame, payload: hashOf(concat(parts.map(bytesOf))) })),
        )
      }),
      { numRuns: 60 },
    )
  })

  it('lays frames out as the table says', () => {
    const writer = new FrameWriter()
    writer.add(frameKinds.credit, 0x01020304, frameFlags.streamBroken, [Uint8Array.of(9, 8)], 0x0a0b0c0d)
    expect([...drain(writer)]).toEqual([2, 0, 0, 0, 4, 3, 2, 1, 3, 2, 0, 0, 13, 12, 11, 10, 9, 8])
  })

  it('puts small frames into one piece, and hands large bodies on as they are', () => {
    const writer = new FrameWriter()
    const large = new Uint8Array(65_536)
    writer.add(frameKinds.reply, 1, 0, ['a'])
    writer.add(frameKinds.reply, 2, 0, ['b', large])
    writer.add(frameKinds.reply, 3, 0, ['c'])
    const pieces: Uint8Array[] = []
    writer.flush({ write: (bytes) => pieces.push(bytes) && bytes.length })
    expect(pieces.map(({ length }) => length)).toEqual([17 + 17, 65_536, 17])
    expect(pieces[1]).toBe(large)
  })

  it('puts a head and its length before the body', () => {
    const writer = new FrameWriter()
    writer.addWithHead(frameKinds.request, 1, 0, '{"a":"ä"}', Uint8Array.of(1, 2))
    const [frame] = new FrameDecoder().push(drain(writer))
    const { head, body } = decodeHead(frame?.payload ?? new Uint8Array())
    expect(head).toEqual({ a: 'ä' })
    expect([...body]).toEqual([1, 2])
  })

  it('begins a body behind a head where numbers of 8 bytes can be read', () => {
    const writer = new FrameWriter()
    const heads = ['1', '12', '123', '"ä"', '1234567', '"ääää"', '[]']
    for (const [id, each] of heads.entries())
      writer.addWithHead(frameKinds.request, id, 0, each, new Uint8Array(id))
    for (const { payload } of new FrameDecoder().push(drain(writer))) {
      const { body } = decodeHead(payload)
      expect((frameHeaderBytes + body.byteOffset - payload.byteOffset) % 8).toBe(0)
    }
  })

  it('refuses a payload beyond the limit, and goes on with the next', () => {
    // Never written to, so the system lends it no memory.
    const large = new Uint8Array(maxFrameBytes)
    const writer = new FrameWriter()
    expect(() => writer.add(frameKinds.reply, 1, 0, [large, 'a'])).toThrow(RangeError)
    expect(() => writer.addWithHead(frameKinds.reply, 1, 0, 'a', large)).toThrow(RangeError)
    writer.add(frameKinds.stop, 0, 0, [])
    expect(new FrameDecoder().push(drain(writer))).toHaveLength(1)
    writer.add(frameKinds.reply, 1, 0, [large])
    const lengths: number[] = []
    writer.flush({ write: ({ length }) => lengths.push(length) && length })
    expect(lengths).toEqual([16, maxFrameBytes])
  })

  it('forgets what nobody will take any more', () => {
    const writer = new FrameWriter()
    for (let count = 0; count < 3; count += 1) {
      writer.add(frameKinds.reply, count, 0, ['a', new Uint8Array(70_000)])
      expect(writer.flush({ write: () => -1 })).toBe(true)
    }
    expect(drain(writer)).toHaveLength(0)
  })
})
