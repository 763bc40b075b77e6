import { describe, expect, it } from 'vitest'
import { createSynapseIssuer } from '../../runtime/auth/issuer.ts'
import { createServeMultiplexedModelId } from '../../runtime/auth/synapse-token.ts'
import { forge, reasonOf, startMs, startSeconds } from './forged-token.ts'
import { project, verify } from './issuer-scene.ts'

describe('a token of the Synapse form', () => {
  const backendUrl = 'https://api.example.com'
  const url = new TextEncoder().encode(backendUrl)
  const said = { model: '34', token: 't' }
  const refusal = async (payload: object, header: object = { alg: 'HS256', typ: 'JWT' }) =>
    reasonOf(forge(header, payload, { secret: url }), { issuers: [await createSynapseIssuer(backendUrl)] })

  it.each([
    [
      'https://api.example.com',
      { modelId: '123', accessToken: 'user_access_token', tenant: 'my-tenant' },
      'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJtb2RlbCI6IjEyMyIsInRva2VuIjoidXNlcl9hY2Nlc3NfdG9rZW4iLCJ0ZW5hbnQiOiJteS10ZW5hbnQifQ.hTiR5kSyNxLXpv6v7V5BUgn_9rszJv93e_YPXdvwNig',
    ],
    [
      'https://api.example.com',
      { modelId: '123', accessToken: 'user_access_token', tenant: null },
      'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJtb2RlbCI6IjEyMyIsInRva2VuIjoidXNlcl9hY2Nlc3NfdG9rZW4ifQ.979kjcrKCzjdmhKYue6JrGp_kSXLwmzpq4PyvUGazkQ',
    ],
    [
      'https://api.example.com',
      { modelId: '34', accessToken: 't', tenant: '테넌트/é"<' },
      'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJtb2RlbCI6IjM0IiwidG9rZW4iOiJ0IiwidGVuYW50IjoiXHVkMTRjXHViMTBjXHVkMmI4L1x1MDBlOVwiPCJ9.syzWtKGDobvxHe2m03MqluXanfEvV0Z32scDJdpAD_U',
    ],
    [
      'x',
      { modelId: '1', accessToken: null, tenant: null },
      'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJtb2RlbCI6IjEiLCJ0b2tlbiI6IiJ9.1CazBjrjS7JZDwKCPU6cHonqeKhlal8fxKehUMoLHc8',
    ],
  ])('signed with %s is taken as %j, and is not proven', async (secret, facts, token) => {
    const by = [project, await createSynapseIssuer(secret)]
    const credentials = await verify(token, by)
    expect(credentials).toMatchObject({ ...facts, issuer: 'synapse', proven: false, expiresAtMs: Infinity })
    expect(await reasonOf(token, { issuers: [project, await createSynapseIssuer(`${secret}/`)] })).toBe(
      'signature',
    )
  })

  it('is held to its times where it has some, and to no audience', async () => {
    expect(await refusal({ ...said, exp: startSeconds - 60 })).toBe('expired')
    expect(await refusal({ ...said, nbf: startSeconds + 60 })).toBe('early')
    expect(await refusal({ ...said, iat: startSeconds + 6 })).toBe('early')
    expect(await refusal({ ...said, aud: 'models' })).toBe('claims')
    for (const time of ['1', null, {}, true]) {
      for (const name of ['exp', 'nbf', 'iat'])
        expect(await refusal({ ...said, [name]: time })).toBe('claims')
    }
    expect(await refusal({ ...said, exp: 1e308 })).toBe('claims')
    const token = forge(
      { alg: 'HS256' },
      { ...said, iat: startSeconds + 5, exp: startSeconds + 9.5 },
      { secret: url },
    )
    expect(await verify(token, [await createSynapseIssuer(backendUrl)])).toMatchObject({
      expiresAtMs: startMs + 9_500,
    })
  })

  it('names its model as a text, and no key', async () => {
    expect(await refusal({ ...said, model: 34 })).toBe('claims')
    expect(await refusal(said, { alg: 'HS256', kid: 'synapse' })).toBe('signature')
    expect(await refusal(said, { alg: 'HS256', kid: null })).toBe('signature')
  })

  it('is refused where no backend URL is trusted, and is no token of the project', async () => {
    const token = await createServeMultiplexedModelId({ modelId: 1, token: 't', backendUrl })
    expect(await reasonOf(token, { issuers: [project] })).toBe('signature')
  })
})

it('refuses an empty backend URL, with which anybody could sign', async () => {
  await expect(createSynapseIssuer('')).rejects.toThrow(TypeError)
})
