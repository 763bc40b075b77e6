import { CompactSign, generateKeyPair } from 'jose'
import { describe, expect, it } from 'vitest'
import { claims, forge, key, reasonOf, startMs, verifierAt } from './forged-token.ts'
import { issuerOf, issuers, pairs, sign, signer, signing, verify } from './issuer-scene.ts'

describe('a token signed for a public key', () => {
  it.each(signing)('is proven where it is signed with %s', async (algorithm) => {
    const credentials = await verify(await sign(algorithm))
    expect(credentials).toMatchObject({ modelId: 'digits', issuer: 'signer', proven: true })
    const bare = await sign(algorithm, claims, { kid: undefined })
    expect(await verify(bare)).toMatchObject({ issuer: 'signer' })
  })

  it('names the issuer that it must name, is meant for it, and uses its claims', async () => {
    const strict = issuerOf('strict', [{ algorithm: 'ES256', key: pairs.ES256.publicKey }], {
      issuer: 'https://id.example',
      audience: 'models',
      claims: { model: 'm', tenant: 'org', accessToken: 'at' },
    })
    const good = {
      m: 'cats',
      org: 'acme',
      at: 'secret',
      iss: 'https://id.example',
      aud: ['models'],
      exp: claims.exp,
    }
    const refusal = async (more: object) =>
      reasonOf(await sign('ES256', { ...good, ...more }, { kid: undefined }), { issuers: [strict] })
    expect(await verify(await sign('ES256', good, { kid: undefined }), [strict])).toMatchObject({
      modelId: 'cats',
      tenant: 'acme',
      accessToken: 'secret',
    })
    for (const more of [
      { iss: 'https://other.example' },
      { iss: undefined },
      { aud: 'b' },
      { aud: undefined },
    ]) {
      expect(await refusal(more)).toBe('claims')
    }
    expect(await refusal({ exp: undefined })).toBe('claims')
  })

  it('is that of the second of two issuers with one key where the first would have another "iss"', async () => {
    const by = ['a', 'b'].map((issuer) =>
      issuerOf(issuer, [{ algorithm: 'ES256', key: pairs.ES256.publicKey }], { issuer }),
    )
    const token = await sign('ES256', { ...claims, iss: 'b' }, { kid: undefined })
    expect(await verify(token, by)).toMatchObject({ issuer: 'b' })
  })

  it('cannot be made with the public key as a secret', async () => {
    const spki = await crypto.subtle.exportKey('spki', pairs.RS256.publicKey)
    const pem = `-----BEGIN PUBLIC KEY-----\n${Buffer.from(spki).toString('base64')}\n-----END PUBLIC KEY-----\n`
    for (const secret of [new Uint8Array(spki), new TextEncoder().encode(pem)]) {
      for (const kid of ['s-RS256', undefined]) {
        expect(await reasonOf(forge({ alg: 'HS256', kid }, claims, { secret }), { issuers })).toBe(
          'signature',
        )
        expect(await reasonOf(forge({ alg: 'HS256', kid }, claims, { secret }), { issuers: [signer] })).toBe(
          'algorithm',
        )
      }
    }
  })

  it('is held to the key of its kid, even where another of the same algorithm fits', async () => {
    const both = issuerOf('both', [
      { algorithm: 'ES256', id: 'right', key: pairs.ES256.publicKey },
      { algorithm: 'ES256', id: 'wrong', key: (await generateKeyPair('ES256')).publicKey },
    ])
    expect(await verify(await sign('ES256', claims, { kid: 'right' }), [both])).toMatchObject({
      issuer: 'both',
    })
    for (const kid of ['wrong', 'none', '', '../right', '__proto__']) {
      expect(await reasonOf(await sign('ES256', claims, { kid }), { issuers: [both] })).toBe('signature')
    }
  })

  it('is refused where its key has ended, also from memory', async () => {
    const ending = issuerOf('ending', [
      { algorithm: 'ES256', key: pairs.ES256.publicKey, untilMs: startMs + 1_000 },
    ])
    const { verifier, clock } = verifierAt({ issuers: [ending] })
    const token = await sign('ES256', claims, { kid: undefined })
    await verifier.verify(token)
    clock.ms += 999
    expect(verifier.verify(token)).not.toBeInstanceOf(Promise)
    clock.ms += 1
    await expect(verifier.verify(token)).rejects.toMatchObject({ details: { reason: 'signature' } })
  })
})

it('gives no error but its own, whatever a key holder signs', async () => {
  const bytes = new TextEncoder().encode('\u0000\ud800{')
  const token = await new CompactSign(bytes).setProtectedHeader({ alg: 'HS256' }).sign(key.secret)
  expect(await reasonOf(token, { issuers })).toBe('malformed')
})
