import { describe, expect, it } from 'vitest'
import { readTokenHeader } from '../../runtime/auth/header.ts'

const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const signed = (header: unknown): string => `${encode(header)}.e30.AAAA`
const encrypted = (header: unknown): string => `${encode(header)}..AAAA.AAAA.AAAA`

describe('readTokenHeader', () => {
  it('tells a signed token from an encrypted one by its segments', () => {
    expect(readTokenHeader(signed({ alg: 'HS256', kid: 'a' }))).toEqual({
      form: 'signed',
      algorithm: 'HS256',
      keyId: 'a',
      encryption: undefined,
      nested: false,
    })
    const header = { alg: 'dir', enc: 'A256GCM', cty: 'jwt' }
    expect(readTokenHeader(encrypted(header))).toEqual({
      form: 'encrypted',
      algorithm: 'dir',
      keyId: undefined,
      encryption: 'A256GCM',
      nested: true,
    })
  })

  it('gives nothing for what is no text, and nothing that is inherited', () => {
    expect(readTokenHeader(signed({ alg: 1, kid: ['a'] }))).toMatchObject({ algorithm: null, keyId: null })
    expect(readTokenHeader(signed('{"__proto__":{"alg":"HS256","kid":"a"}}'))).toMatchObject({
      algorithm: null,
      keyId: undefined,
    })
  })

  it('reads the last of two members of one name, as every reader of its JSON does', () => {
    expect(readTokenHeader(signed('{"alg":"none","alg":"HS256"}'))).toMatchObject({ algorithm: 'HS256' })
  })

  it.each([
    ['an extension', signed({ alg: 'HS256', crit: [] })],
    ['compression', encrypted({ alg: 'dir', enc: 'A256GCM', zip: 'DEF' })],
    ['a segment of another spelling', `${encode({ alg: 'dir' })}..AB.AAAA.AAAA`],
    ['a payload of another spelling', `${encode({ alg: 'HS256' })}.e31.AAAA`],
    ['no initialization vector', `${encode({ alg: 'dir' })}...AAAA.AAAA`],
    ['no tag', `${encode({ alg: 'dir' })}..AAAA.AAAA.`],
    ['no payload', `${encode({ alg: 'HS256' })}..AAAA`],
    ['bytes that are no UTF-8', `${Buffer.from('{"alg":"\xff"}', 'latin1').toString('base64url')}.e30.AAAA`],
    ['a text for a header', signed('"HS256"')],
    ['16,385 characters', signed({ alg: 'HS256' }).padEnd(16_385, 'A')],
  ])('refuses %s as malformed', (_, token) => {
    expect(() => readTokenHeader(token)).toThrow(
      expect.objectContaining({ code: 'TOKEN_INVALID', details: { reason: 'malformed' } }),
    )
  })
})
