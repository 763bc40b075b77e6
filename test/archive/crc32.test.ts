import { crc32 as reference } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { crc32 } from '../../runtime/archive/crc32.ts'

describe('crc32', () => {
  it('gives the check value of its definition', () => {
    expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926)
  })

  it('agrees with zlib on any bytes, at once or in two chunks', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), (bytes, split) => {
        expect(crc32(bytes)).toBe(reference(bytes))
        expect(crc32(bytes.subarray(split), crc32(bytes.subarray(0, split)))).toBe(reference(bytes))
      }),
    )
  })
})
