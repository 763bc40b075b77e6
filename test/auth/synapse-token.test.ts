import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createServeMultiplexedModelId } from '../../runtime/auth/synapse-token.ts'

const url = 'https://api.example.com'

/** The payload of a token as text. */
function payloadOf(token: string): string {
  return Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('latin1')
}

describe('createServeMultiplexedModelId', () => {
  // Tokens that the Synapse SDK makes of the same facts.
  it.each([
    [
      { modelId: '123', token: 'user_access_token', backendUrl: url, tenant: 'my-tenant' },
      'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJtb2RlbCI6IjEyMyIsInRva2VuIjoidXNlcl9hY2Nlc3NfdG9rZW4iLCJ0ZW5hbnQiOiJteS10ZW5hbnQifQ.hTiR5kSyNxLXpv6v7V5BUgn_9rszJv93e_YPXdvwNig',
    ],
    [
      { modelId: '123', token: 'user_access_token', backendUrl: url },
      'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJtb2RlbCI6IjEyMyIsInRva2VuIjoidXNlcl9hY2Nlc3NfdG9rZW4ifQ.979kjcrKCzjdmhKYue6JrGp_kSXLwmzpq4PyvUGazkQ',
    ],
    [
      { modelId: '34', token: 't', backendUrl: url, tenant: '테넌트/é"<' },
      'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJtb2RlbCI6IjM0IiwidG9rZW4iOiJ0IiwidGVuYW50IjoiXHVkMTRjXHViMTBjXHVkMmI4L1x1MDBlOVwiPCJ9.syzWtKGDobvxHe2m03MqluXanfEvV0Z32scDJdpAD_U',
    ],
    [
      { modelId: '1', token: '', backendUrl: 'x' },
      'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJtb2RlbCI6IjEiLCJ0b2tlbiI6IiJ9.1CazBjrjS7JZDwKCPU6cHonqeKhlal8fxKehUMoLHc8',
    ],
  ])('makes of %j the token of the SDK', async (claims, token) => {
    expect(await createServeMultiplexedModelId(claims)).toBe(token)
  })

  it('writes a number as the text of it', async () => {
    const claims = { token: 't', backendUrl: url }
    for (const [modelId, text] of [
      [34, '34'],
      [0, '0'],
      [-0, '0'],
      [-1, '-1'],
    ] as const) {
      const token = await createServeMultiplexedModelId({ ...claims, modelId })
      expect(token).toBe(await createServeMultiplexedModelId({ ...claims, modelId: text }))
    }
  })

  it('leaves an empty tenant out', async () => {
    const claims = { modelId: 1, token: 't', backendUrl: url }
    const bare = await createServeMultiplexedModelId(claims)
    expect(await createServeMultiplexedModelId({ ...claims, tenant: '' })).toBe(bare)
    expect(await createServeMultiplexedModelId({ ...claims, tenant: null })).toBe(bare)
  })

  it('escapes all that Python escapes: beyond ASCII, control characters and DEL', async () => {
    const token = await createServeMultiplexedModelId({
      modelId: '1',
      token: '\b\t\n\f\r\u0000\u001f\u007f\u0080\u2028😀/\\',
      backendUrl: url,
    })
    expect(payloadOf(token)).toBe(
      String.raw`{"model":"1","token":"\b\t\n\f\r\u0000\u001f\u007f\u0080\u2028\ud83d\ude00/\\"}`,
    )
  })

  it('makes an ASCII payload that reads back, signed with the raw bytes of the URL', async () => {
    const text = fc.string({ unit: 'grapheme' })
    await fc.assert(
      fc.asyncProperty(
        text,
        text,
        text.filter((value) => value !== ''),
        async (modelId, tenant, backendUrl) => {
          const token = await createServeMultiplexedModelId({ modelId, token: tenant, backendUrl, tenant })
          const [header, payload, signature] = token.split('.')
          expect(payloadOf(token)).toMatch(/^[ -~]*$/)
          expect(JSON.parse(payloadOf(token))).toEqual({
            model: modelId,
            token: tenant,
            ...(tenant === '' ? {} : { tenant }),
          })
          const expected = createHmac('sha256', backendUrl).update(`${header}.${payload}`).digest('base64url')
          expect(signature).toBe(expected)
        },
      ),
    )
  })

  it('refuses an empty backend URL and numbers that have no exact text', () => {
    const claims = { modelId: 1, token: 't', backendUrl: url }
    expect(() => createServeMultiplexedModelId({ ...claims, backendUrl: '' })).toThrow(TypeError)
    for (const modelId of [1.5, 2 ** 53, Number.NaN, Infinity]) {
      expect(() => createServeMultiplexedModelId({ ...claims, modelId })).toThrow('"modelId"')
    }
  })
})
