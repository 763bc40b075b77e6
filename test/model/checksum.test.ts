import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createArtifactHash, parseChecksum } from '../../runtime/model/checksum.ts'

const digits = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdefABCDEF'), minLength: length, maxLength: length })

it('reads hexadecimal digits with and without the name of their algorithm', () => {
  fc.assert(
    fc.property(fc.constantFrom('sha256:', 'sha-256:', 'SHA256:', ''), digits(64), (prefix, value) => {
      expect(parseChecksum(prefix + value)).toEqual({ algorithm: 'sha256', value: value.toLowerCase() })
    }),
  )
  fc.assert(
    fc.property(fc.constantFrom('md5:', 'MD5:', ''), digits(32), (prefix, value) => {
      expect(parseChecksum(prefix + value)).toEqual({ algorithm: 'md5', value: value.toLowerCase() })
    }),
  )
})

it.each([
  null,
  undefined,
  7,
  {},
  '',
  'sha256:',
  `sha1:${'a'.repeat(40)}`,
  'a'.repeat(63),
  `md5:${'a'.repeat(64)}`,
  `${'a'.repeat(64)}\n`,
])('takes %j for none', (value) => expect(parseChecksum(value)).toBe(null))

it.each([
  ['sha256', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  ['md5', '900150983cd24fb0d6963f7d28e17f72'],
] as const)('holds bytes against a %s checksum (the vectors of "abc")', (algorithm, value) => {
  const hash = createArtifactHash({ algorithm, value })
  for (const part of ['a', 'bc']) hash.update(Buffer.from(part))
  const { digest, matches } = hash.finish()
  expect(digest).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  expect(matches({ algorithm, value })).toBe(true)
  expect(matches({ algorithm, value: value.replace('b', 'c').replace('9', '8') })).toBe(false)
})
