import { generateKeyPairSync } from 'node:crypto'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK, exportPKCS8, exportSPKI, generateKeyPair, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadSigner, loadTokenIssuers } from '../../runtime/auth/issuer-config.ts'
import { createIssuerToken } from '../../runtime/auth/token.ts'
import type { TokenIssuerConfig } from '../../runtime/config/token-issuer-config.ts'
import { claims, forge, startMs, verifierAt } from './forged-token.ts'

const pair = await generateKeyPair('ES256', { extractable: true })
const secret = Buffer.alloc(32, 7).toString('base64url')
let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'isoplex-issuers-'))
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey
  const files = {
    'public.pem': await exportSPKI(pair.publicKey),
    'public.json': JSON.stringify({ ...(await exportJWK(pair.publicKey)), kid: 'from-jwk' }),
    'private.pem': await exportPKCS8(pair.privateKey),
    'private.json': JSON.stringify({ ...(await exportJWK(pair.privateKey)), kid: 'from-jwk' }),
    'weak.pem': weak.export({ type: 'spki', format: 'pem' }).toString(),
    secret,
    open: secret,
    short: Buffer.alloc(31).toString('base64url'),
    large: 'x'.repeat(65_537),
  }
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(directory, name), text, { mode: 0o600 })
  }
  for (const name of ['open', 'public.pem']) await chmod(join(directory, name), 0o644)
})
afterAll(() => rm(directory, { recursive: true }))

const fetchNothing = () => Promise.reject(new Error('nobody asks'))
const load = (configs: readonly TokenIssuerConfig[], audience: string | null = null) =>
  loadTokenIssuers(configs, { projectDirectory: directory, audience, fetchJson: fetchNothing })
const withKey = (key: NonNullable<TokenIssuerConfig['keys']>[number], name = 'a'): TokenIssuerConfig => ({
  name,
  keys: [key],
})
const signWith = (payload: object, header: object = {}) =>
  new SignJWT({ ...claims, ...payload }).setProtectedHeader({ alg: 'ES256', ...header }).sign(pair.privateKey)

describe('loadTokenIssuers', () => {
  it('trusts the keys of files, by the id of the configuration or of the JWK', async () => {
    const issuers = await load([
      withKey({ file: 'public.pem', algorithm: 'ES256' }, 'bare'),
      withKey({ file: 'public.json', algorithm: 'ES256' }, 'jwk'),
      withKey({ file: 'public.json', algorithm: 'ES256', id: 'given' }, 'named'),
      withKey({ file: 'secret', algorithm: 'HS256' }, 'shared'),
    ])
    const { verifier } = verifierAt({ issuers })
    expect(await verifier.verify(await signWith({}))).toMatchObject({ issuer: 'bare' })
    expect(await verifier.verify(await signWith({}, { kid: 'from-jwk' }))).toMatchObject({ issuer: 'jwk' })
    expect(await verifier.verify(await signWith({}, { kid: 'given' }))).toMatchObject({ issuer: 'named' })
    expect(await verifier.verify(forge({ alg: 'HS256' }, claims))).toMatchObject({
      issuer: 'shared',
      proven: true,
    })
  })

  it('takes over issuer, audience and claims, and the audience of the project where there is none', async () => {
    const key = { file: 'public.pem', algorithm: 'ES256' } as const
    const [own, shared] = await load(
      [
        { name: 'own', keys: [key], issuer: 'i', audience: 'a', claims: { model: 'm' } },
        { name: 'shared', keys: [key] },
      ],
      'project',
    )
    expect(own).toMatchObject({
      issuer: 'i',
      audience: 'a',
      claims: { model: 'm', tenant: 'tenant', accessToken: 'token' },
      rules: 'standard',
    })
    expect(shared).toMatchObject({ issuer: null, audience: 'project' })
  })

  it('asks those first whose keys are at hand, and fetches nothing', async () => {
    const issuers = await load([
      { name: 'published', jwksUrl: 'https://id.example/keys' },
      withKey({ file: 'public.pem', algorithm: 'ES256' }, 'file'),
    ])
    expect(issuers.map(({ name }) => name)).toEqual(['file', 'published'])
    expect(issuers[1]?.keys.algorithms).toEqual(['RS256', 'ES256', 'EdDSA'])
  })

  it.each<[string, readonly TokenIssuerConfig[], RegExp]>([
    ['a file that is not there', [withKey({ file: 'none', algorithm: 'ES256' })], /none, which is not there/],
    ['a folder', [withKey({ file: '.', algorithm: 'ES256' })], /is no file/],
    ['a file that is too large', [withKey({ file: 'large', algorithm: 'ES256' })], /too large/],
    ['a secret that others may read', [withKey({ file: 'open', algorithm: 'HS256' })], /chmod 600/],
    ['a short secret', [withKey({ file: 'short', algorithm: 'HS256' })], /at least 32 bytes/],
    ['a weak RSA key', [withKey({ file: 'weak.pem', algorithm: 'RS256' })], /at least 2048 bits/],
    [
      'a key of another algorithm',
      [withKey({ file: 'public.pem', algorithm: 'RS256' })],
      /an RSA public key/,
    ],
    [
      'a private key to verify with',
      [withKey({ file: 'private.pem', algorithm: 'ES256' })],
      /a P-256 public key/,
    ],
    [
      'a public key for a secret',
      [withKey({ file: 'private.pem', algorithm: 'HS256' })],
      /a secret of at least/,
    ],
    [
      'one name twice',
      [
        { name: 'a', jwksUrl: 'https://a' },
        { name: 'a', jwksUrl: 'https://b' },
      ],
      /Two issuers/,
    ],
    ['the name of the project', [{ name: 'project', jwksUrl: 'https://a.example' }], /another name/],
    ['the name of the Synapse form', [{ name: 'synapse', jwksUrl: 'https://a.example' }], /another name/],
    [
      'one id twice',
      [
        withKey({ file: 'public.pem', algorithm: 'ES256', id: 'x' }, 'a'),
        withKey({ file: 'secret', algorithm: 'HS256', id: 'x' }, 'b'),
      ],
      /the id "x"/,
    ],
    [
      'secrets that are published',
      [{ name: 'a', jwksUrl: 'https://a.example', algorithms: ['ES256', 'HS256'] }],
      /RS256, ES256, EdDSA only/,
    ],
  ])('refuses %s, and says nothing secret', async (_, configs, message) => {
    const error = await load(configs).then(
      () => null,
      (thrown: unknown) => thrown,
    )
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) })
    expect(String(error)).not.toMatch(/BEGIN|BwcHBw/)
  })
})

describe('loadSigner', () => {
  const configs: readonly TokenIssuerConfig[] = [
    {
      name: 'jwk',
      keys: [{ file: 'public.pem', algorithm: 'ES256', id: 'given' }],
      issuer: 'i',
      audience: 'a',
      claims: { model: 'm' },
    },
    {
      name: 'several',
      keys: ['a', 'b'].map((id) => ({ file: 'public.pem', algorithm: 'ES256', id })),
    },
  ]
  const signerOf = (issuer: string, file: string) =>
    loadSigner(configs, { issuer, keyFile: join(directory, file), audience: null })

  it('signs tokens that are taken', async () => {
    const { key, ...said } = await signerOf('jwk', 'private.pem')
    expect(key.id).toBe('given')
    const token = await createIssuerToken(key, {
      ...said,
      model: 'digits',
      expiresInSeconds: 60,
      now: () => startMs,
    })
    const issuers = await load(configs.slice(0, 1))
    expect(await verifierAt({ issuers }).verifier.verify(token)).toMatchObject({
      issuer: 'jwk',
      modelId: 'digits',
    })
  })

  it('takes the id of a JWK, and asks for it where the configuration has several', async () => {
    expect((await signerOf('jwk', 'private.json')).key.id).toBe('from-jwk')
    expect((await signerOf('several', 'private.json')).key.id).toBe('from-jwk')
    await expect(signerOf('several', 'private.pem')).rejects.toThrow(/"kid"/)
  })

  it('refuses an issuer that is not there, and what is no private key', async () => {
    await expect(signerOf('nobody', 'private.pem')).rejects.toThrow(/there is jwk, several/)
    for (const file of ['public.json', 'secret'])
      await expect(signerOf('jwk', file)).rejects.toThrow(/a private key/)
    await expect(signerOf('jwk', 'open')).rejects.toThrow(/chmod 600/)
    await expect(signerOf('jwk', 'none')).rejects.toThrow(/not there/)
  })
})
