import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GrowingBytes } from '../../runtime/server/growing-bytes.ts'

const sizes = fc.array(fc.oneof(fc.nat(100), fc.nat(200_000)), { maxLength: 12 })

describe('GrowingBytes', () => {
  it('holds what was added, whatever was announced and however it was cut', () => {
    fc.assert(
      fc.property(sizes, fc.oneof(fc.nat(300_000), fc.constant(2_147_483_647)), (lengths, expectedBytes) => {
        const collected = new GrowingBytes(expectedBytes)
        const pieces = lengths.map((length, index) => new Uint8Array(length).fill(index + 1))
        for (const piece of pieces) collected.add(piece)
        const whole = new Uint8Array(Buffer.concat(pieces))
        expect(collected.length).toBe(whole.length)
        const bytes = collected.finish()
        expect(Buffer.compare(bytes, whole)).toBe(0)
        expect(bytes.buffer.byteLength).toBe(whole.length)
      }),
      { numRuns: 50 },
    )
  })

  it('keeps nothing of a piece that is used for something else afterwards', () => {
    const collected = new GrowingBytes(4)
    const piece = new Uint8Array([1, 2])
    collected.add(piece)
    piece.fill(9)
    collected.add(piece)
    expect([...collected.finish()]).toEqual([1, 2, 9, 9])
  })

  it('takes a million pieces of a byte without keeping a million pieces', () => {
    const collected = new GrowingBytes(2 ** 31 - 1)
    Bun.gc(true)
    const before = process.memoryUsage().heapUsed
    for (let count = 0; count < 1_000_000; count += 1) collected.add(new Uint8Array([7]))
    Bun.gc(true)
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(10_000_000)
    expect(collected.finish().every((byte) => byte === 7)).toBe(true)
  })
})
