import { exportJWK, generateKeyPair } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { createJwksSource } from '../../runtime/auth/jwks.ts'
import type { KeySource, PublicAlgorithm } from '../../runtime/auth/key.ts'
import { claims, reasonOf, verifierAt } from './forged-token.ts'
import { issuerOf, pairs, sign } from './issuer-scene.ts'

const algorithms: readonly PublicAlgorithm[] = ['RS256', 'ES256', 'EdDSA']
let published: Record<PublicAlgorithm, object>
beforeAll(async () => {
  const jwkOf = async (algorithm: PublicAlgorithm) => ({
    ...(await exportJWK(pairs[algorithm].publicKey)),
    kid: `s-${algorithm}`,
  })
  published = { RS256: await jwkOf('RS256'), ES256: await jwkOf('ES256'), EdDSA: await jwkOf('EdDSA') }
})

/** A source whose document and clock a test sets, and that counts how often it is asked. */
function scene(document: unknown, pinned = algorithms) {
  const world = { document, ms: 0, fetches: 0, fails: false }
  const source = createJwksSource({
    issuer: 'publisher',
    url: 'https://id.example/keys',
    algorithms: pinned,
    now: () => world.ms,
    fetchJson: async (url) => {
      expect(url).toBe('https://id.example/keys')
      world.fetches += 1
      if (world.fails) throw new Error('secret of the network')
      return world.document
    },
  })
  return { world, source }
}
const idsOf = async (source: KeySource, algorithm: PublicAlgorithm, id?: string) =>
  (await source.select(algorithm, id)).map((found) => found.id)

describe('createJwksSource', () => {
  it('verifies tokens with the keys that are published', async () => {
    const { source, world } = scene({ keys: Object.values(published) })
    const issuers = [issuerOf('publisher', [], { keys: source })]
    const { verifier } = verifierAt({ issuers })
    for (const algorithm of algorithms) {
      expect(await verifier.verify(await sign(algorithm))).toMatchObject({
        issuer: 'publisher',
        proven: true,
      })
      expect(await verifier.verify(await sign(algorithm, claims, { kid: undefined }))).toMatchObject({
        issuer: 'publisher',
      })
    }
    expect(await reasonOf(await sign('RS256', claims, { kid: 's-ES256' }), { issuers })).toBe('signature')
    expect(world.fetches).toBe(1)
  })

  it('fetches nothing before it is needed, once for all that wait, and answers at once from then on', async () => {
    const { source, world } = scene({ keys: Object.values(published) })
    expect(world.fetches).toBe(0)
    await Promise.all(Array.from({ length: 50 }, () => source.select('ES256', 's-ES256')))
    expect(world.fetches).toBe(1)
    expect(source.select('ES256', 's-ES256')).not.toBeInstanceOf(Promise)
  })

  it('fetches anew for a key that it does not know, at most every 30 seconds', async () => {
    const { source, world } = scene({ keys: [published.RS256] })
    expect(await idsOf(source, 'ES256', 's-ES256')).toEqual([])
    world.document = { keys: [published.ES256] }
    world.ms = 29_999
    for (let count = 0; count < 20; count += 1) expect(await idsOf(source, 'ES256', `x${count}`)).toEqual([])
    expect(world.fetches).toBe(1)
    world.ms = 30_000
    expect(await idsOf(source, 'ES256', 's-ES256')).toEqual(['s-ES256'])
    expect(await idsOf(source, 'RS256', 's-RS256')).toEqual([])
    expect(world.fetches).toBe(2)
  })

  it('fetches anew after 10 minutes, so that a key that was taken back ends', async () => {
    const { source, world } = scene({ keys: [published.RS256, published.ES256] })
    await source.select('RS256', 's-RS256')
    world.document = { keys: [published.ES256] }
    world.ms = 599_999
    expect(await idsOf(source, 'RS256', 's-RS256')).toEqual(['s-RS256'])
    world.ms = 600_000
    expect(await idsOf(source, 'RS256', 's-RS256')).toEqual([])
  })

  it('goes on with old keys for a day while they cannot be fetched, and tries every 30 seconds', async () => {
    const { source, world } = scene({ keys: [published.RS256] })
    await source.select('RS256', 's-RS256')
    world.fails = true
    world.ms = 700_000
    for (let count = 0; count < 5; count += 1)
      expect(await idsOf(source, 'RS256', 's-RS256')).toEqual(['s-RS256'])
    expect(world.fetches).toBe(2)
    world.ms = 86_399_999
    expect(await idsOf(source, 'RS256', 's-RS256')).toEqual(['s-RS256'])
    world.ms = 86_400_000
    await expect(idsOf(source, 'RS256', 's-RS256')).rejects.toMatchObject({ code: 'FETCH_FAILED' })
    world.fails = false
    world.ms += 30_000
    expect(await idsOf(source, 'RS256', 's-RS256')).toEqual(['s-RS256'])
  })

  it('blames no token for keys that cannot be had, and tells its log alone why', async () => {
    const { source, world } = scene(null)
    world.fails = true
    const issuers = [issuerOf('publisher', [], { keys: source })]
    const answer = Promise.resolve(verifierAt({ issuers }).verifier.verify(await sign('RS256')))
    await expect(answer).rejects.toMatchObject({
      code: 'FETCH_FAILED',
      message: 'The keys of the token issuer "publisher" cannot be had now; try again.',
      cause: expect.objectContaining({ message: 'secret of the network' }),
    })
  })

  it('lets another issuer verify while its keys cannot be had', async () => {
    const { source, world } = scene(null)
    world.fails = true
    const other = issuerOf('other', [{ algorithm: 'RS256', id: 's-RS256', key: pairs.RS256.publicKey }])
    const issuers = [issuerOf('publisher', [], { keys: source }), other]
    expect(await verifierAt({ issuers }).verifier.verify(await sign('RS256'))).toMatchObject({
      issuer: 'other',
    })
    const ended = await sign('RS256', { ...claims, exp: 1 })
    expect(await reasonOf(ended, { issuers })).toBe('expired')
  })

  it.each([
    ['nothing', null],
    ['a text', 'keys'],
    ['a list', []],
    ['keys that are no list', { keys: {} }],
    ['more than 100 keys', { keys: Array.from({ length: 101 }, () => ({})) }],
  ])('refuses a document of %s', async (_, document) => {
    const { source } = scene(document)
    await expect(idsOf(source, 'RS256')).rejects.toMatchObject({ code: 'FETCH_FAILED' })
  })

  it('passes over keys that are not to verify, and takes those beside them', async () => {
    const weak = await generateKeyPair('RS256', { extractable: true })
    const { d } = await exportJWK((await generateKeyPair('ES256', { extractable: true })).privateKey)
    const small = { kty: 'RSA', n: Buffer.alloc(128, 0xff).toString('base64url'), e: 'AQAB' }
    const { source } = scene({
      keys: [
        null,
        'text',
        [],
        {},
        { kty: 'oct', k: Buffer.alloc(32).toString('base64url'), kid: 'bad' },
        { ...published.RS256, kid: 'bad', use: 'enc' },
        { ...published.RS256, kid: 'bad', alg: 'RS512' },
        { ...published.RS256, kid: 'bad', alg: 'HS256' },
        { ...published.RS256, kid: 'bad', key_ops: ['encrypt'] },
        { ...published.RS256, kid: 'bad', key_ops: 'verify' },
        { ...published.RS256, kid: 'bad', n: 5 },
        { ...published.ES256, kid: 'bad', d },
        { ...published.ES256, kid: 'bad', crv: 'P-384' },
        { ...published.ES256, kid: 'bad', x: 'AAAA' },
        { ...(await exportJWK(weak.privateKey)), kid: 'bad' },
        { ...small, kid: 'bad' },
        { ...published.EdDSA, use: 'sig', alg: 'EdDSA', key_ops: ['verify'] },
        published.RS256,
      ],
    })
    expect(await idsOf(source, 'RS256')).toEqual(['s-RS256'])
    expect(await idsOf(source, 'ES256')).toEqual([])
    expect(await idsOf(source, 'EdDSA')).toEqual(['s-EdDSA'])
  })

  it('uses keys for the algorithms that are allowed only', async () => {
    const { source } = scene({ keys: Object.values(published) }, ['ES256'])
    expect(source.algorithms).toEqual(['ES256'])
    expect(await idsOf(source, 'ES256')).toEqual(['s-ES256'])
    expect(await idsOf(source, 'RS256')).toEqual([])
  })

  it('goes on after a fetch that fails before it begins', async () => {
    let calls = 0
    let ms = 0
    const source = createJwksSource({
      issuer: 'publisher',
      url: 'https://id.example/keys',
      algorithms,
      now: () => ms,
      fetchJson: () => {
        calls += 1
        throw new TypeError('bad URL')
      },
    })
    await expect(idsOf(source, 'RS256')).rejects.toMatchObject({ code: 'FETCH_FAILED' })
    ms = 30_000
    await expect(idsOf(source, 'RS256')).rejects.toMatchObject({ code: 'FETCH_FAILED' })
    expect(calls).toBe(2)
  })
})
