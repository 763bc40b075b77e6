import { decodeJwt, decodeProtectedHeader } from 'jose'
import { beforeAll, expect, it } from 'vitest'
import { createProjectKey, type ProjectKey } from '../../runtime/auth/project-key.ts'
import { createModelToken } from '../../runtime/auth/token.ts'

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
})
