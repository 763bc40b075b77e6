import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { sha256Of } from '../../runtime/page/sha256.ts'

const { subtle } = crypto

/** Takes the browser's own hashing away, as a page has it that did not come over https. */
function withoutHashing(): void {
  Object.defineProperty(crypto, 'subtle', { value: undefined, configurable: true })
}

const expected = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

describe('the SHA-256 of a Blob', () => {
  afterEach(() => void Object.defineProperty(crypto, 'subtle', { value: subtle, configurable: true }))

  it.each([true, false])('is that of its bytes, whoever computes it: the browser %s', async (hashes) => {
    if (!hashes) withoutHashing()
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.nat({ max: 3 }), async (bytes, parts) => {
        const step = Math.max(1, Math.ceil(bytes.length / (parts + 1)))
        const pieces = Array.from({ length: parts + 1 }, (_, index) =>
          bytes.slice(index * step, (index + 1) * step),
        )
        expect(await sha256Of(new Blob(pieces))).toBe(expected(bytes))
      }),
      { numRuns: 300 },
    )
  })

  it('is right around the ends of blocks and of the pieces that are read at once', async () => {
    withoutHashing()
    for (const around of [64, 128, 1_048_576, 2_097_152]) {
      for (const length of [around - 9, around - 8, around - 1, around, around + 1]) {
        const bytes = Uint8Array.from({ length }, (_, index) => (index * 7 + length) & 0xff)
        expect(await sha256Of(new Blob([bytes]))).toBe(expected(bytes))
      }
    }
  })
})
