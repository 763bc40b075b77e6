import fc from 'fast-check'
import { expect, it } from 'vitest'
import { isSecretName, redacted, redactText } from '../../runtime/observe/redaction.ts'

const base64url = fc
  .uint8Array({ minLength: 12, maxLength: 200 })
  .map((bytes) => Buffer.from(bytes).toString('base64url'))
const token = fc.tuple(fc.string(), base64url, base64url).map(([claim, payload, signature]) => {
  const header = Buffer.from(JSON.stringify({ alg: 'HS256', typ: 'JWT', claim })).toString('base64url')
  return `${header}.${payload}.${signature}`
})

it('replaces a token wherever it stands', () => {
  fc.assert(
    fc.property(token, fc.constantFrom('', 'Bearer ', 'x_', '"', '/path/'), (text, before) => {
      expect(redactText(`${before}${text}, then more`)).toBe(`${before}${redacted}, then more`)
    }),
  )
})

it('replaces unsigned, encrypted and shortened tokens too', () => {
  const header = 'eyJhbGciOiJub25lIn0'
  for (const text of [`${header}.e30.`, `${header}.a.b.c.d`, `${header}.eyJt`, header]) {
    expect(redactText(text)).toBe(redacted)
  }
})

it('replaces an access token of the registry and a part of one, and no name that is like it', () => {
  const text = `isoplexat_${'aZ09_-'.repeat(7)}x`
  expect(redactText(`Token ${text}, then`)).toBe(`Token ${redacted}, then`)
  expect(redactText(text.slice(0, 16))).toBe(redacted)
  const metric = 'isoplex_replica_request_duration_seconds'
  expect(redactText(metric)).toBe(metric)
})

it('leaves other text as it is', () => {
  for (const text of ['eyJ', 'eyJ is a prefix', 'a.b.c', 'onnxruntime-node 1.30.0', '']) {
    expect(redactText(text)).toBe(text)
  }
})

it('takes time that grows with the length of the text only', () => {
  const started = performance.now()
  redactText('eyJ'.repeat(200_000))
  redactText(`${'eyJ a'.repeat(200_000)}`)
  expect(performance.now() - started).toBeLessThan(1000)
})

it.each([
  'token',
  'accessToken',
  'access_token',
  'ACCESS_TOKEN',
  'tokens',
  'Authorization',
  'key',
  'apiKey',
  'api-key',
  'x-api-key',
  'apikey',
  'secret',
  'client_secret',
  'password',
  'DB_PASSWORD',
  'cookie',
  'set-cookie',
  'jwt',
  'signature',
  'serve_multiplexed_model_id',
  'serve-multiplexed-model-id',
])('takes %s for a secret', (name) => {
  expect(isSecretName(name)).toBe(true)
})

it.each([
  'modelKey',
  'cacheKey',
  'keyId',
  'monkey',
  'tokenExpiresInSeconds',
  'tokenCount',
  'modelId',
  'function',
  'requestId',
  '',
])('takes %j for harmless', (name) => {
  expect(isSecretName(name)).toBe(false)
})
