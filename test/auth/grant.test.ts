import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createArtifactGrants } from '../../runtime/auth/grant.ts'
import { createProjectKey } from '../../runtime/auth/project-key.ts'

const keyOf = (byte: number, untilMs?: number) => createProjectKey(new Uint8Array(32).fill(byte), untilMs)
const key = await keyOf(1)
const grants = createArtifactGrants([key])
const digest = fc.stringMatching(/^[0-9a-f]{64}$/)
const time = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })

describe('createArtifactGrants', () => {
  it('makes a grant that is good until its end, for its digest, and fits into a URL as it is', () => {
    fc.assert(
      fc.property(digest, time, fc.nat(), (name, expiresAtMs, earlier) => {
        const grant = grants.make(name, expiresAtMs)
        expect(grant).toMatch(/^[\w.-]+$/)
        expect(encodeURIComponent(grant)).toBe(grant)
        expect(grants.check(name, grant, expiresAtMs - 1)).toBe(true)
        expect(grants.check(name, grant, expiresAtMs - 1 - earlier)).toBe(true)
        expect(grants.check(name, grant, expiresAtMs)).toBe(false)
        expect(grants.check(name, grant, expiresAtMs + earlier)).toBe(false)
        expect(grants.check(name, grant, Number.NaN)).toBe(false)
      }),
    )
  })

  it('takes no grant for another digest', () => {
    fc.assert(
      fc.property(digest, digest, time, (name, other, expiresAtMs) => {
        expect(grants.check(other, grants.make(name, expiresAtMs), 0)).toBe(name === other)
      }),
    )
  })

  it('takes no grant that was altered in any place', () => {
    const name = 'a'.repeat(64)
    const grant = grants.make(name, 1_700_000_000_000)
    const part = fc.oneof(fc.constantFrom('', '.', '-', '_', '0', '1', 'A', 'z', '=', '\n'), fc.string())
    fc.assert(
      fc.property(fc.nat(grant.length), fc.nat(3), part, (start, removed, put) => {
        const altered = grant.slice(0, start) + put + grant.slice(start + removed)
        expect(grants.check(name, altered, 0)).toBe(altered === grant)
      }),
      { numRuns: 3_000 },
    )
  })

  it('takes a longer life from nobody', () => {
    const [, mac] = grants.make('a', 1_000).split('.')
    for (const end of ['2000', '01000', '1000.0', '1e9', '9'.repeat(17), '-1', '']) {
      expect(grants.check('a', `${end}.${mac}`, 0)).toBe(false)
    }
    expect(grants.check('0\na', `100.${mac}`, 0)).toBe(false)
  })

  it('takes what any of its keys made while that counts, and makes with the first', async () => {
    const retired = await keyOf(2, 5_000)
    const several = createArtifactGrants([key, retired])
    const old = createArtifactGrants([retired]).make('a', 9_000)
    expect(several.check('a', old, 4_999)).toBe(true)
    expect(several.check('a', old, 5_000)).toBe(false)
    expect(several.make('a', 9_000)).toBe(grants.make('a', 9_000))
    expect(grants.check('a', old, 0)).toBe(false)
  })

  it('refuses an end that is none', () => {
    for (const end of [0, -1, 1.5, Number.NaN, Infinity]) {
      expect(() => grants.make('a', end)).toThrow('"expiresAtMs"')
    }
  })
})
