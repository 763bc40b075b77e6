import { Value } from '@sinclair/typebox/value'
import { expect, it } from 'vitest'
import { issuerSchema } from '../../runtime/config/issuer-schema.ts'

const key = { file: 'keys/a.pem', algorithm: 'ES256' }
const url = 'https://id.example/keys'

it.each([
  { name: 'a', keys: [key] },
  { name: 'a.b-c_D1', keys: [key, { ...key, id: 'k', algorithm: 'ECDH-ES+A256KW' }] },
  { name: 'a', jwksUrl: url },
  { name: 'a', jwksUrl: 'http://127.0.0.1:8080/keys', algorithms: ['RS256'] },
  {
    name: 'a',
    keys: [key],
    issuer: 'i',
    audience: 'b',
    claims: { model: 'm', tenant: 't', accessToken: 'u' },
  },
])('takes %j', (issuer) => {
  expect(Value.Check(issuerSchema, issuer)).toBe(true)
})

it.each([
  { keys: [key] },
  { name: 'a' },
  { name: 'a', keys: [] },
  { name: 'a', keys: [key], jwksUrl: url },
  { name: 'a', keys: [key], algorithms: ['RS256'] },
  { name: '', keys: [key] },
  { name: '-a', keys: [key] },
  { name: 'x'.repeat(65), keys: [key] },
  { name: 'a', keys: [{ file: 'a' }] },
  { name: 'a', keys: [{ ...key, algorithm: 'none' }] },
  { name: 'a', keys: [{ ...key, algorithm: 'HS512' }] },
  { name: 'a', keys: [{ ...key, secret: 'x' }] },
  { name: 'a', keys: [{ ...key, file: 'a\0b' }] },
  { name: 'a', keys: [{ ...key, id: '' }] },
  { name: 'a', jwksUrl: 'file:///etc/keys' },
  { name: 'a', jwksUrl: url, algorithms: [] },
  { name: 'a', jwksUrl: url, claims: { role: 'r' } },
  { name: 'a', jwksUrl: url, proven: true },
  null,
  'a',
])('refuses %j', (issuer) => {
  expect(Value.Check(issuerSchema, issuer)).toBe(false)
})
