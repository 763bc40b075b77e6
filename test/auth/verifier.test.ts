import { generateKeyPairSync, sign } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createServeMultiplexedModelId } from '../../runtime/auth/synapse-token.ts'
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

describe('createTokenVerifier', () => {
  it('gives the credentials of a good token', async () => {
    const { verifier } = verifierAt()
    const credentials = await verifier.verify(await token({ tenant: 'acme' }))
    expect(credentials).toEqual({
      modelId: 'digits',
      tenant: 'acme',
      accessToken: null,
      issuer: 'project',
      proven: true,
      expiresAtMs: startMs + 60_000,
      identity: expect.stringMatching(/^[\w-]{43}$/),
    })
    expect(Object.isFrozen(credentials)).toBe(true)
    expect(await verifier.verify(await token())).toMatchObject({ tenant: null })
  })

  it('takes a token without kid from any of its keys, and one with kid from that key', async () => {
    const keys = [otherKey, key] as const
    expect(await verifierAt({ keys }).verifier.verify(forge(header, claims))).toMatchObject({
      modelId: 'digits',
    })
    expect(await verifierAt({ keys }).verifier.verify(await token())).toMatchObject({ modelId: 'digits' })
    expect(await reasonOf(forge({ ...header, kid: otherKey.id }, claims), { keys })).toBe('signature')
  })

  it('refuses other algorithms, whatever they are signed with', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const input = forge({ alg: 'RS256' }, claims).split('.').slice(0, 2).join('.')
    const rsa = `${input}.${sign('sha256', Buffer.from(input), privateKey).toString('base64url')}`
    const unsigned = forge({ alg: 'none' }, claims).replace(/[^.]*$/, '')
    for (const text of [
      unsigned,
      forge({ alg: 'none' }, claims),
      forge({ alg: 'NONE' }, claims).replace(/[^.]*$/, ''),
      forge({ alg: 'HS512' }, claims, { hash: 'sha512' }),
      forge({ alg: 'HS384' }, claims, { hash: 'sha384' }),
      forge({ alg: 'hs256' }, claims),
      forge({ alg: 'RS256' }, claims),
      rsa,
      forge({}, claims),
      forge({ alg: ['HS256'] }, claims),
    ]) {
      expect(await reasonOf(text)).toBe('algorithm')
    }
    expect(await reasonOf(forge({ alg: 'HS512', kid: key.id }, claims, { hash: 'sha512' }))).toBe('algorithm')
  })

  it('refuses tokens of other keys, without a signature and of the Synapse form', async () => {
    expect(await reasonOf(forge(header, claims, { secret: new Uint8Array(32) }))).toBe('signature')
    expect(await reasonOf(forge({ ...header, kid: 'unknown' }, claims))).toBe('signature')
    expect(await reasonOf(forge({ ...header, kid: 1 }, claims))).toBe('signature')
    expect(await reasonOf(forge(header, claims).replace(/[^.]*$/, ''))).toBe('signature')
    expect(await reasonOf((await token()).slice(0, -1))).toBe('signature')
    const synapse = await createServeMultiplexedModelId({
      modelId: 1,
      token: 't',
      backendUrl: 'https://a.example',
    })
    expect(await reasonOf(synapse)).toBe('signature')
  })

  it('never follows a key that a token brings along', async () => {
    const jwk = { kty: 'oct', k: Buffer.alloc(32).toString('base64url') }
    const forged = forge({ ...header, jwk, jku: 'http://127.0.0.1:1/keys' }, claims, {
      secret: new Uint8Array(32),
    })
    expect(await reasonOf(forged)).toBe('signature')
  })

  it.each([
    ['', 'nothing'],
    ['abc', 'one segment'],
    ['a.b', 'two segments'],
    ['a.b.c.d', 'four segments'],
    ['a.b.c.d.e', 'five segments'],
    ['..', 'empty segments'],
    ['a b.c.d', 'a space'],
    [`${'a'.repeat(8)}.b.c\n`, 'a line break'],
    ['é.b.c', 'other letters'],
    ['eyJ.b.c', 'a header that is no JSON'],
    [`${Buffer.from('[]').toString('base64url')}.e30.c`, 'a header that is a list'],
    [`${Buffer.from('null').toString('base64url')}.e30.c`, 'a header that is null'],
    ['__proto__.constructor.x', 'names of the prototype'],
  ])('refuses %j as malformed: %s', async (text) => {
    expect(await reasonOf(text)).toBe('malformed')
  })

  it('refuses as malformed what is well signed but no claims', async () => {
    for (const payload of ['', '[]', 'null', '"text"', '{', '\ud800']) {
      expect(await reasonOf(forge(header, payload || ' '))).toBe('malformed')
    }
    expect(await reasonOf(forge({ ...header, crit: ['b64'], b64: false }, claims))).toBe('malformed')
    expect(await reasonOf(forge({ ...header, crit: ['unknown'], unknown: 1 }, claims))).toBe('malformed')
  })

  it('refuses a token that is too long before it looks into it, and quickly', async () => {
    expect(await reasonOf('a'.repeat(70_000))).toBe('malformed')
    expect(await reasonOf(`${await token()}${'.'.repeat(70_000)}`)).toBe('malformed')
    expect(await reasonOf(forge(header, { ...claims, padding: 'x'.repeat(70_000) }))).toBe('malformed')
    const long = forge(header, { ...claims, padding: 'x'.repeat(12_000) })
    expect(await verifierAt().verifier.verify(long)).toMatchObject({ modelId: 'digits' })
  })

  it('survives a header nested as deep as a token can be', async () => {
    const nested = `{"alg":"HS256","x":${'['.repeat(11_000)}`
    expect(await reasonOf(forge(nested, claims).slice(0, 16_000))).toBe('malformed')
  })

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

  it('refuses every token with one letter changed, also where the letter decodes to the same bytes', async () => {
    const good = await token({ tenant: 'acme' })
    const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_']
    const { verifier } = verifierAt()
    const change = async (index: number, letter: string): Promise<void> => {
      if (good[index] === letter) return
      const changed = `${good.slice(0, index)}${letter}${good.slice(index + 1)}`
      await expect(verifier.verify(changed), `${letter} at ${index}`).rejects.toMatchObject({
        code: 'TOKEN_INVALID',
      })
    }
    for (const letter of letters) await change(good.length - 1, letter)
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: good.length - 1 }),
        fc.oneof(
          fc.constantFrom(...letters, '.', '=', ' ', '\n', '+', '/'),
          fc.string({ minLength: 1, maxLength: 1 }),
        ),
        change,
      ),
      { numRuns: 500 },
    )
  })

  it('refuses whatever text is no token, and with nothing but TOKEN_INVALID', async () => {
    const part = fc.oneof(
      fc.string(),
      fc.json().map((text) => Buffer.from(text).toString('base64url')),
      fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('base64url')),
      fc.constant(Buffer.from(JSON.stringify(header)).toString('base64url')),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 5 }), async (parts) => {
        await reasonOf(parts.join('.'))
      }),
      { numRuns: 500 },
    )
  })

  it('takes any JSON as a well-signed header or payload without an error of its own', async () => {
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue(), async (extra, payload) => {
        await reasonOf(forge(JSON.stringify({ ...extra, ...header }), JSON.stringify(payload)))
      }),
      { numRuns: 300 },
    )
  })
})

describe('the memory of a verifier', () => {
  it('answers at once for a token that it has verified', async () => {
    const { verifier } = verifierAt()
    const text = await token()
    const first = verifier.verify(text)
    expect(first).toBeInstanceOf(Promise)
    expect(verifier.verify(text)).toBeInstanceOf(Promise)
    const credentials = await first
    expect(verifier.verify(text)).toBe(verifier.verify(text))
    expect(verifier.verify(text)).toEqual(credentials)
  })

  it('never answers for a token past its exp', async () => {
    const { verifier, clock } = verifierAt({ clockToleranceSeconds: 0 })
    const text = await token()
    await verifier.verify(text)
    clock.ms = startMs + 59_999
    expect(verifier.verify(text)).not.toBeInstanceOf(Promise)
    clock.ms = startMs + 60_000
    await expect(verifier.verify(text)).rejects.toMatchObject({ details: { reason: 'expired' } })
    clock.ms = startMs + 59_999
    expect(verifier.verify(text)).toBeInstanceOf(Promise)
  })

  it('verifies anew within the tolerance after exp, and remembers nothing then', async () => {
    const { verifier, clock } = verifierAt()
    const text = await token()
    await verifier.verify(text)
    for (const ms of [60_000, 64_999]) {
      clock.ms = startMs + ms
      const answer = verifier.verify(text)
      expect(answer).toBeInstanceOf(Promise)
      expect(await answer).toMatchObject({ modelId: 'digits' })
    }
    clock.ms = startMs + 65_000
    await expect(verifier.verify(text)).rejects.toMatchObject({ details: { reason: 'expired' } })
  })

  it('remembers no refusal', async () => {
    const { verifier, clock } = verifierAt()
    const early = forge(header, { ...claims, nbf: startSeconds + 30 })
    await expect(verifier.verify(early)).rejects.toMatchObject({ details: { reason: 'early' } })
    clock.ms = startMs + 30_000
    expect(await verifier.verify(early)).toMatchObject({ modelId: 'digits' })
  })

  it('is bounded by count and by length', async () => {
    const { verifier } = verifierAt({ cacheSize: 2 })
    const texts = ['a', 'b', 'c'].map((model) => forge(header, { ...claims, model }))
    for (const text of texts) await verifier.verify(text)
    expect(texts.map((text) => verifier.verify(text) instanceof Promise)).toEqual([true, false, false])

    const roomy = verifierAt({ cacheSize: 20 }).verifier
    const long = ['a', 'b'].map((model) => forge(header, { ...claims, model, padding: 'x'.repeat(12_000) }))
    for (const text of long) await roomy.verify(text)
    expect(long.map((text) => roomy.verify(text) instanceof Promise)).toEqual([true, false])
  })
})
