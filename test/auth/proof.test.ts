import { CompactEncrypt, generateKeyPair } from 'jose'
import { describe, expect, it } from 'vitest'
import { createSynapseIssuer } from '../../runtime/auth/issuer.ts'
import { createServeMultiplexedModelId } from '../../runtime/auth/synapse-token.ts'
import { createEncryptedToken } from '../../runtime/auth/token.ts'
import {
  claims,
  forge,
  header,
  key,
  otherKey,
  reasonOf,
  startMs,
  startSeconds,
  token,
  verifierAt,
} from './forged-token.ts'
import {
  encrypt,
  encrypting,
  issuerOf,
  issuers,
  opener,
  pairs,
  seal,
  sign,
  signer,
  verify,
} from './issuer-scene.ts'

describe('a signed token', () => {
  it.each([
    ['a missing model', { exp: claims.exp }],
    ['a model that is a number', { ...claims, model: 1 }],
    ['an empty model', { ...claims, model: '' }],
    ['a long model', { ...claims, model: 'x'.repeat(257) }],
    ['a model with a line break', { ...claims, model: 'a\nb' }],
    ['a tenant that is no text', { ...claims, tenant: ['acme'] }],
    ['an empty tenant', { ...claims, tenant: '' }],
    ['a missing end', { model: 'digits' }],
    ['an end that is a text', { ...claims, exp: String(claims.exp) }],
    ['an end that is null', { ...claims, exp: null }],
    ['a start that is a text', { ...claims, nbf: '0' }],
    ['a start that is null', { ...claims, nbf: null }],
    ['an end beyond time', { ...claims, exp: 1e20 }],
  ])('refuses claims with %s', async (_, payload) => {
    expect(await reasonOf(forge(header, payload))).toBe('claims')
  })

  it('refuses an end that overflows to infinity', async () => {
    expect(await reasonOf(forge(header, '{"model":"digits","exp":1e999}'))).toBe('claims')
  })

  it('honours exp and nbf with the tolerance for clocks, and no more', async () => {
    const ended = (seconds: number): string => forge(header, { ...claims, exp: startSeconds - seconds })
    const starting = (seconds: number): string => forge(header, { ...claims, nbf: startSeconds + seconds })
    expect(await reasonOf(ended(5))).toBe('expired')
    expect(await reasonOf(ended(0), { clockToleranceSeconds: 0 })).toBe('expired')
    expect(await reasonOf(starting(6))).toBe('early')
    expect(await reasonOf(starting(1), { clockToleranceSeconds: 0 })).toBe('early')
    await verifierAt().verifier.verify(ended(4))
    await verifierAt().verifier.verify(starting(5))
    expect(await reasonOf(forge(header, { ...claims, exp: -1 }))).toBe('expired')
  })

  it('takes an issue time in the future: only exp and nbf bind', async () => {
    const future = forge(header, { ...claims, iat: startSeconds + 30 })
    expect(await verifierAt().verifier.verify(future)).toMatchObject({ modelId: 'digits' })
  })

  it('checks the audience where one is configured, and takes none elsewhere', async () => {
    const audience = 'https://a.example'
    const named = await token({ audience })
    expect(await verifierAt({ audience }).verifier.verify(named)).toMatchObject({ modelId: 'digits' })
    const several = forge(header, { ...claims, aud: ['https://b.example', audience] })
    expect(await verifierAt({ audience }).verifier.verify(several)).toMatchObject({ modelId: 'digits' })
    expect(await reasonOf(named)).toBe('claims')
    expect(await reasonOf(await token(), { audience })).toBe('claims')
    expect(await reasonOf(named, { audience: 'https://b.example' })).toBe('claims')
    expect(await reasonOf(forge(header, { ...claims, aud: [] }))).toBe('claims')
    expect(await reasonOf(forge(header, { ...claims, aud: null }))).toBe('claims')
  })
})

describe('an encrypted token', () => {
  const options = { model: 'digits', accessToken: 'very-secret', expiresInSeconds: 60, now: () => startMs }

  it('of the project is proven, and cannot be read', async () => {
    const token = await createEncryptedToken(key, options)
    expect(Buffer.from(token, 'base64url').toString()).not.toContain('very-secret')
    expect(await verify(token)).toMatchObject({ issuer: 'project', proven: true, accessToken: 'very-secret' })
    expect(await reasonOf(await createEncryptedToken(otherKey, options), { issuers })).toBe('signature')
    const named = { ...otherKey, id: key.id }
    expect(await reasonOf(await createEncryptedToken(named, options), { issuers })).toBe('signature')
  })

  it('of the project is not made with the signing secret itself', async () => {
    const secret = await crypto.subtle.importKey('raw', new Uint8Array(32).fill(7), 'AES-GCM', false, [
      'encrypt',
    ])
    const token = await encrypt('dir', JSON.stringify(claims), { kid: key.id }, secret)
    expect(await reasonOf(token, { issuers })).toBe('signature')
  })

  it.each(encrypting)('is not proven where it is encrypted with %s: anybody can', async (algorithm) => {
    const credentials = await verify(await seal(algorithm, JSON.stringify({ ...claims, token: 't' })))
    expect(credentials).toMatchObject({ issuer: 'opener', proven: false, accessToken: 't' })
  })

  it('is proven by a signed one within', async () => {
    const nested = await seal('ECDH-ES', await sign('EdDSA'), { cty: 'JWT' })
    expect(await verify(nested)).toMatchObject({ issuer: 'signer', proven: true })
    const forged = await seal('ECDH-ES', forge({ alg: 'HS256' }, claims, { secret: new Uint8Array(32) }), {
      cty: 'JWT',
    })
    expect(await reasonOf(forged, { issuers })).toBe('signature')
    const twice = await seal('ECDH-ES', nested, { cty: 'JWT' })
    expect(await reasonOf(twice, { issuers })).toBe('malformed')
    expect(await reasonOf(await seal('ECDH-ES', 'text', { cty: 'JWT' }), { issuers })).toBe('malformed')
    expect(await reasonOf(await seal('ECDH-ES', await sign('EdDSA')), { issuers })).toBe('malformed')
    const late = await seal('ECDH-ES', await sign('EdDSA', { ...claims, exp: 1 }), { cty: 'JWT' })
    expect(await reasonOf(late, { issuers })).toBe('expired')
  })

  it('is forgotten when the key that opened it ends', async () => {
    const key = pairs['ECDH-ES'].privateKey
    const ending = issuerOf('ending', [{ algorithm: 'ECDH-ES', key, untilMs: startMs + 1_000 }])
    const { verifier, clock } = verifierAt({ issuers: [signer, ending] })
    const nested = await seal('ECDH-ES', await sign('EdDSA'), { cty: 'JWT' })
    await verifier.verify(nested)
    expect(verifier.verify(nested)).not.toBeInstanceOf(Promise)
    clock.ms += 1_000
    await expect(verifier.verify(nested)).rejects.toMatchObject({ details: { reason: 'signature' } })
  })

  it('hides the access token of the Synapse form, and proves no more than that', async () => {
    const backendUrl = 'https://api.example.com'
    const inner = await createServeMultiplexedModelId({ modelId: 1, token: 't', backendUrl })
    const by = [await createSynapseIssuer(backendUrl), opener]
    const credentials = await verify(await seal('RSA-OAEP-256', inner, { cty: 'JWT' }), by)
    expect(credentials).toMatchObject({ issuer: 'synapse', proven: false, accessToken: 't' })
  })

  it('is held to its time and audience as a signed one is', async () => {
    const refusal = async (more: object) =>
      reasonOf(await seal('ECDH-ES', JSON.stringify({ ...claims, ...more })), { issuers })
    expect(await refusal({ exp: startSeconds - 60 })).toBe('expired')
    expect(await refusal({ nbf: startSeconds + 60 })).toBe('early')
    expect(await refusal({ exp: undefined })).toBe('claims')
    expect(await refusal({ aud: 'elsewhere' })).toBe('claims')
    expect(await reasonOf(await seal('ECDH-ES', '[]'), { issuers })).toBe('malformed')
  })

  it('is refused with one letter changed in any segment', async () => {
    for (const token of [
      await createEncryptedToken(key, options),
      await seal('ECDH-ES+A256KW', JSON.stringify(claims)),
      await seal('RSA-OAEP-256', JSON.stringify(claims)),
    ]) {
      const { verifier } = verifierAt({ issuers })
      await verifier.verify(token)
      for (let index = token.indexOf('.'); index < token.length; index += 7) {
        for (const letter of ['A', 'B', '_', '.'].filter((other) => other !== token[index])) {
          const changed = `${token.slice(0, index)}${letter}${token.slice(index + 1)}`
          await expect(verifier.verify(changed)).rejects.toMatchObject({ code: 'TOKEN_INVALID' })
        }
      }
      const spelling = `${token.slice(0, -1)}${token.endsWith('g') ? 'h' : 'B'}`
      await expect(verifier.verify(spelling)).rejects.toMatchObject({ code: 'TOKEN_INVALID' })
    }
  })

  it('is refused where its header asks for more', async () => {
    const secret = key.encryption
    const dir = async (header: object) =>
      encrypt('dir', JSON.stringify(claims), { kid: key.id, ...header }, secret)
    expect(await verify(await dir({}))).toMatchObject({ issuer: 'project' })
    const compressed = (await dir({})).split('.')
    const zip = { alg: 'dir', enc: 'A256GCM', kid: key.id, zip: 'DEF' }
    compressed[0] = Buffer.from(JSON.stringify(zip)).toString('base64url')
    expect(await reasonOf(compressed.join('.'), { issuers })).toBe('malformed')
    const text = new TextEncoder().encode(JSON.stringify(claims))
    const password = await new CompactEncrypt(text)
      .setProtectedHeader({ alg: 'PBES2-HS256+A128KW', enc: 'A256GCM' })
      .encrypt(new Uint8Array(32).fill(7))
    expect(await reasonOf(password, { issuers })).toBe('algorithm')
    const weaker = await new CompactEncrypt(text)
      .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A128GCM' })
      .encrypt(pairs['ECDH-ES'].publicKey)
    expect(await reasonOf(weaker, { issuers })).toBe('algorithm')
  })

  it('is refused with whatever ephemeral key it brings along', async () => {
    const good = (await seal('ECDH-ES', JSON.stringify(claims))).split('.')
    const jwk = await crypto.subtle.exportKey(
      'jwk',
      (await generateKeyPair('ECDH-ES', { crv: 'P-521', extractable: true })).publicKey,
    )
    const { kty, crv, x, y } = jwk
    const zero = Buffer.alloc(32).toString('base64url')
    for (const epk of [
      undefined,
      null,
      'x',
      [],
      {},
      { kty, crv, x, y },
      { kty: 'EC', crv: 'P-256', x: zero, y: zero },
      { kty: 'OKP', crv: 'X25519', x: zero },
      { kty: 'oct', k: zero },
      { kty: 'EC', crv: 'P-256', x: 'A'.repeat(9000), y: zero },
    ]) {
      const header = Buffer.from(JSON.stringify({ alg: 'ECDH-ES', enc: 'A256GCM', epk })).toString(
        'base64url',
      )
      expect(await reasonOf([header, ...good.slice(1)].join('.'), { issuers })).toBe('signature')
    }
  })

  it('cannot pose as a signed one, nor a signed one as encrypted', async () => {
    const posing = [
      `${Buffer.from('{"alg":"dir","enc":"A256GCM"}').toString('base64url')}.e30.AAAA`,
      `${Buffer.from('{"alg":"HS256","enc":"A256GCM"}').toString('base64url')}..AAAA.AAAA.AAAA`,
    ]
    for (const token of posing) expect(await reasonOf(token, { issuers })).toBe('algorithm')
  })
})
