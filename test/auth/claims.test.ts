import fc from 'fast-check'
import type { JWTPayload } from 'jose'
import { describe, expect, it } from 'vitest'
import { defaultClaimNames, isAccessToken, isClaimText, toCredentials } from '../../runtime/auth/claims.ts'

const reading = { names: defaultClaimNames, issuer: 'project', proven: true, emptyIsNone: false }
const claims = { model: 'digits', tenant: 'acme', token: 'secret', exp: 1_700_000_000 }

describe('toCredentials', () => {
  it('gives what a token says, and by whom', () => {
    const credentials = toCredentials(claims, reading)
    expect(credentials).toEqual({
      modelId: 'digits',
      tenant: 'acme',
      accessToken: 'secret',
      issuer: 'project',
      proven: true,
      expiresAtMs: 1_700_000_000_000,
      identity: expect.stringMatching(/^[\w-]{43}$/),
    })
    expect(Object.isFrozen(credentials)).toBe(true)
    expect(credentials.identity).not.toContain('secret')
  })

  it('reads claims by the names that are configured, and none that is inherited', () => {
    const names = { model: 'https://a.example/model', tenant: 'org', accessToken: '__proto__' }
    const payload = JSON.parse('{"https://a.example/model":"m","org":"o","__proto__":"t","model":"x"}')
    expect(toCredentials(payload, { ...reading, names })).toMatchObject({
      modelId: 'm',
      tenant: 'o',
      accessToken: 't',
    })
    const tenantless = { ...reading, names: { ...names, model: 'model', tenant: 'constructor' } }
    expect(toCredentials({ model: 'm', exp: 1 }, tenantless)).toMatchObject({ tenant: null })
    for (const name of ['constructor', 'toString', '__proto__']) {
      const inherited = { ...reading, names: { ...names, model: name } }
      expect(() => toCredentials({ exp: 1 }, inherited)).toThrow(/the model/)
    }
  })

  it('takes an empty tenant and access token for none in the Synapse form only', () => {
    const payload = { model: 'a', tenant: '', token: '' }
    expect(toCredentials(payload, { ...reading, emptyIsNone: true })).toMatchObject({
      tenant: null,
      accessToken: null,
      expiresAtMs: Infinity,
    })
    expect(() => toCredentials({ ...payload, token: 't' }, reading)).toThrow(/the tenant/)
    expect(() => toCredentials({ ...payload, tenant: 't' }, reading)).toThrow(/the access token/)
  })

  it.each([1e308, Infinity, 8.64e12 + 1, Number.NaN])('refuses the end %d', (exp) => {
    expect(() => toCredentials({ ...claims, exp }, reading)).toThrow(/no point in time/)
  })

  it('takes an end within a second', () => {
    expect(toCredentials({ ...claims, exp: 1.5 }, reading).expiresAtMs).toBe(1500)
  })

  it.each([1, {}, ['t'], true, 'a\nb', 'x'.repeat(4097), '\ud800'])(
    'refuses the access token %j',
    (token) => {
      const error = (() => {
        try {
          return toCredentials({ ...claims, token }, reading)
        } catch (thrown) {
          return thrown
        }
      })()
      expect(error).toMatchObject({ code: 'TOKEN_INVALID', details: { reason: 'claims' } })
      expect(String(error)).not.toContain('x'.repeat(10))
    },
  )

  it('gives one identity to what says the same, and another to all else', () => {
    const text = fc.constantFrom('a', 'b', '","', '\\', 'null', 'a","b')
    const said = fc.record({
      model: text,
      tenant: fc.option(text),
      token: fc.option(text),
      issuer: text,
      proven: fc.boolean(),
    })
    const identityOf = (issuer: string, proven: boolean, payload: JWTPayload) =>
      toCredentials(payload, { ...reading, issuer, proven }).identity
    fc.assert(
      fc.property(said, said, fc.nat(), (one, other, exp) => {
        const [first, second] = [one, other].map(({ issuer, proven, ...payload }, index) =>
          identityOf(issuer, proven, { ...payload, exp: exp + index }),
        )
        expect(first === second).toBe(JSON.stringify(one) === JSON.stringify(other))
      }),
      { numRuns: 1_000 },
    )
  })
})

it('tells texts that a claim may be from others', () => {
  for (const text of ['a', '1', 'é 😀/..', 'x'.repeat(256)]) expect(isClaimText(text), text).toBe(true)
  for (const value of ['', 'x'.repeat(257), 'a\u0000', 'a\u009b', '\ud800', 1, null, undefined, {}]) {
    expect(isClaimText(value), String(value)).toBe(false)
  }
  expect(isAccessToken('x'.repeat(4096))).toBe(true)
})
