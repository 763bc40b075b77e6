import { decodeJwt, decodeProtectedHeader, generateKeyPair, jwtDecrypt } from 'jose'
import { beforeAll, expect, it } from 'vitest'
import { createProjectKey, type ProjectKey } from '../../runtime/auth/project-key.ts'
import { createEncryptedToken, createIssuerToken, createModelToken } from '../../runtime/auth/token.ts'

let key: ProjectKey
beforeAll(async () => {
  key = await createProjectKey(new Uint8Array(32).fill(7))
})
const now = (): number => 1_700_000_000_999

it('says model, times, key and algorithm, and nothing that is not asked for', async () => {
  const token = await createModelToken(key, { model: 'digits', expiresInSeconds: 60, now })
  expect(decodeProtectedHeader(token)).toEqual({ alg: 'HS256', typ: 'JWT', kid: key.id })
  expect(decodeJwt(token)).toEqual({ model: 'digits', iat: 1_700_000_000, exp: 1_700_000_060 })
})

it('says tenant and audience where they are given', async () => {
  const options = { model: 'digits', tenant: 'acme', audience: 'https://a.example', expiresInSeconds: 1, now }
  expect(decodeJwt(await createModelToken(key, options))).toMatchObject({
    tenant: 'acme',
    aud: 'https://a.example',
  })
  const bare = { model: 'digits', tenant: null, audience: null, expiresInSeconds: 1, now }
  expect(Object.keys(decodeJwt(await createModelToken(key, bare)))).toEqual(['model', 'iat', 'exp'])
})

it('refuses options out of their bounds and names them', () => {
  const good = { model: 'digits', expiresInSeconds: 60 }
  for (const expiresInSeconds of [0, -1, 1.5, Number.NaN, Infinity, 2 ** 53]) {
    expect(() => createModelToken(key, { ...good, expiresInSeconds })).toThrow('"expiresInSeconds"')
  }
  expect(() => createModelToken(key, { ...good, model: '' })).toThrow('"model"')
  expect(() => createModelToken(key, { ...good, tenant: 'a\nb' })).toThrow('"tenant"')
  for (const accessToken of ['', 'a\nb', 'x'.repeat(4097)]) {
    expect(() => createEncryptedToken(key, { ...good, accessToken })).toThrow('"accessToken"')
  }
})

it('says in an encrypted token what a signed one says, to its key alone', async () => {
  const options = { model: 'digits', tenant: 'acme', accessToken: 'secret', expiresInSeconds: 60, now }
  const token = await createEncryptedToken(key, options)
  const header = { alg: 'dir', enc: 'A256GCM', typ: 'JWT', kid: key.id }
  expect(decodeProtectedHeader(token)).toEqual(header)
  const { payload } = await jwtDecrypt(token, key.encryption, { currentDate: new Date(now()) })
  expect(payload).toEqual({
    model: 'digits',
    tenant: 'acme',
    token: 'secret',
    iat: 1_700_000_000,
    exp: 1_700_000_060,
  })
  expect(await createEncryptedToken(key, options)).not.toBe(token)
})

it('says in the token of another issuer what that one must say, in its words', async () => {
  const { privateKey } = await generateKeyPair('EdDSA')
  const signing = { algorithm: 'EdDSA', id: 'k', key: privateKey } as const
  const options = { model: 'digits', tenant: 'acme', accessToken: 'secret', expiresInSeconds: 60, now }
  const claims = { model: 'm', tenant: 'org', accessToken: 'at' }
  const token = await createIssuerToken(signing, { ...options, claims, issuer: 'i', audience: 'a' })
  expect(decodeProtectedHeader(token)).toEqual({ alg: 'EdDSA', typ: 'JWT', kid: 'k' })
  expect(decodeJwt(token)).toMatchObject({ m: 'digits', org: 'acme', at: 'secret', iss: 'i', aud: 'a' })
  const bare = await createIssuerToken({ ...signing, id: null }, options)
  expect(decodeProtectedHeader(bare)).toEqual({ alg: 'EdDSA', typ: 'JWT' })
})
