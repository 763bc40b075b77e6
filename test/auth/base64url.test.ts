import fc from 'fast-check'
import { expect, it } from 'vitest'
import { decodeBase64url, isBase64url } from '../../runtime/auth/base64url.ts'

it('takes what an encoder writes, and decodes it', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(decodeBase64url(Buffer.from(bytes).toString('base64url'))).toEqual(Uint8Array.from(bytes))
    }),
  )
})

it('takes no text but the one that an encoder writes', () => {
  const letter = fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/= \né')
  fc.assert(
    fc.property(fc.string({ unit: letter, maxLength: 9 }), (text) => {
      expect(isBase64url(text)).toBe(Buffer.from(text, 'base64url').toString('base64url') === text)
    }),
    { numRuns: 2_000 },
  )
})

it.each(['AB', 'AAB', 'A', 'AAAAA', 'AA==', 'A+', 'A/', 'AA\n'])('refuses %j', (text) => {
  expect(isBase64url(text)).toBe(false)
  expect(decodeBase64url(text)).toBeNull()
})
