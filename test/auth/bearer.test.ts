import { describe, expect, it } from 'vitest'
import { readModelToken, toChallenge } from '../../runtime/auth/bearer.ts'
import { IsoplexError } from '../../runtime/error/error.ts'

describe('readModelToken', () => {
  it.each([
    'serve_multiplexed_model_id',
    'Serve_Multiplexed_Model_Id',
    'serve-multiplexed-model-id',
    'SERVE-MULTIPLEXED-MODEL-ID',
  ])('reads the header %s', (name) => {
    expect(readModelToken(new Headers({ [name]: ' a.b.c ' }))).toBe('a.b.c')
  })

  it.each(['Bearer a.b.c', 'bearer a.b.c', 'BEARER    a.b.c', 'Bearer a.b.c, Bearer a.b.c'])(
    'reads the authorization %j',
    (authorization) => {
      expect(readModelToken(new Headers({ authorization }))).toBe('a.b.c')
    },
  )

  it.each(['', 'Bearer', 'Bearer ', 'Basic YTpi', 'Token abc', 'Digest username="a", uri="/b"', 'Bearerx y'])(
    'finds no token in the authorization %j',
    (authorization) => {
      expect(readModelToken(new Headers({ authorization }))).toBeNull()
    },
  )

  it('finds no token where none is sent', () => {
    expect(readModelToken(new Headers())).toBeNull()
    expect(readModelToken(new Headers({ serve_multiplexed_model_id: ' , ' }))).toBeNull()
  })

  it('takes one token that is sent in several places', () => {
    const headers = new Headers([
      ['serve_multiplexed_model_id', 'a.b.c'],
      ['serve_multiplexed_model_id', 'a.b.c'],
      ['serve-multiplexed-model-id', 'a.b.c'],
      ['authorization', 'Bearer a.b.c'],
    ])
    expect(readModelToken(headers)).toBe('a.b.c')
  })

  it('leaves a password for somebody else alone beside a token', () => {
    const headers = new Headers({ authorization: 'Basic YTpi', serve_multiplexed_model_id: 'a.b.c' })
    expect(readModelToken(headers)).toBe('a.b.c')
  })

  it.each([
    [
      [
        ['serve_multiplexed_model_id', 'a.b.c'],
        ['serve_multiplexed_model_id', 'd.e.f'],
      ],
    ],
    [
      [
        ['serve_multiplexed_model_id', 'a.b.c'],
        ['serve-multiplexed-model-id', 'd.e.f'],
      ],
    ],
    [
      [
        ['serve_multiplexed_model_id', 'a.b.c'],
        ['authorization', 'Bearer d.e.f'],
      ],
    ],
    [
      [
        ['authorization', 'Bearer a.b.c'],
        ['authorization', 'Bearer d.e.f'],
      ],
    ],
  ] as [string, string][][][])('refuses two different tokens in %j', (fields) => {
    expect(() => readModelToken(new Headers(fields))).toThrow(
      expect.objectContaining({ code: 'TOKEN_INVALID', details: { reason: 'claims' } }),
    )
    expect(() => readModelToken(new Headers(fields))).not.toThrow(/a\.b\.c|d\.e\.f/)
  })
})

describe('toChallenge', () => {
  it('names the scheme only where no token was sent', () => {
    expect(toChallenge(new IsoplexError('TOKEN_MISSING', 'Send a token.'))).toBe('Bearer realm="isoplex"')
  })

  it('says why a token is refused', () => {
    const error = new IsoplexError('TOKEN_INVALID', 'The model token has expired.', {
      details: { reason: 'expired' },
    })
    expect(toChallenge(error)).toBe(
      'Bearer realm="isoplex", error="invalid_token", error_description="The model token has expired."',
    )
  })

  it('stays one well-formed header whatever the message', () => {
    const error = new IsoplexError('TOKEN_INVALID', 'a "b" \\ c\r\nX: é', { details: { reason: 'claims' } })
    const challenge = toChallenge(error)
    expect(challenge).toMatch(/error_description="[ !#-[\]-~]*"$/)
    expect(new Headers({ 'www-authenticate': challenge }).get('www-authenticate')).toBe(challenge)
  })
})
