import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createCredentials } from '../../runtime/auth/credentials.ts'
import { createProjectKey } from '../../runtime/auth/project-key.ts'
import { createCredentialSeals } from '../../runtime/auth/sealed-credential.ts'

const keyOf = (byte: number, untilMs?: number) => createProjectKey(new Uint8Array(32).fill(byte), untilMs)
const key = await keyOf(1)
const seals = createCredentialSeals([key])
const unreadable = expect.objectContaining({
  code: 'TOKEN_INVALID',
  message: expect.stringContaining('can no longer be read'),
})
const text = fc.string({ unit: 'grapheme', maxLength: 40 })
const credentials = fc
  .record({
    modelId: text,
    tenant: fc.option(text),
    accessToken: fc.option(text),
    issuer: text,
    proven: fc.boolean(),
    expiresAtMs: fc.oneof(fc.nat(), fc.constant(Number.POSITIVE_INFINITY)),
  })
  .map(createCredentials)
const one = createCredentials({
  modelId: 'digits',
  tenant: 'acme',
  accessToken: 'a-secret-access-token',
  issuer: 'project',
  proven: true,
  expiresAtMs: Number.POSITIVE_INFINITY,
})

describe('createCredentialSeals', () => {
  it('opens what it sealed, as it was, and for what it was sealed', () => {
    fc.assert(
      fc.property(credentials, text, (sealed, purpose) => {
        expect(seals.open(seals.seal(sealed, purpose), purpose)).toEqual(sealed)
      }),
    )
  })

  it('opens nothing that was sealed for something else', () => {
    fc.assert(
      fc.property(text, text, (purpose, other) => {
        fc.pre(purpose !== other)
        const sealed = seals.seal(one, purpose)
        expect(() => seals.open(sealed, other)).toThrow(unreadable)
      }),
    )
  })

  it('opens nothing of which a bit was changed, or that was cut or lengthened', () => {
    const sealed = seals.seal(one, 'job')
    fc.assert(
      fc.property(fc.nat(sealed.length - 1), fc.nat(7), (index, bit) => {
        const changed = sealed.slice()
        changed[index] = (changed[index] ?? 0) ^ (1 << bit)
        expect(() => seals.open(changed, 'job')).toThrow(unreadable)
        expect(() => seals.open(sealed.subarray(0, index), 'job')).toThrow(unreadable)
        expect(() => seals.open(Buffer.concat([sealed, sealed.subarray(index)]), 'job')).toThrow(unreadable)
      }),
      { numRuns: 1_000 },
    )
  })

  it('says nothing of what it holds, and never the same twice', () => {
    const [first, second] = [seals.seal(one, 'job'), seals.seal(one, 'job')]
    expect(Buffer.from(first).equals(Buffer.from(second))).toBe(false)
    for (const secret of ['a-secret-access-token', 'acme', 'digits']) {
      expect(Buffer.from(first).includes(secret)).toBe(false)
    }
  })

  it('opens what any of its keys sealed while that counts, and seals with the first', async () => {
    const retired = await keyOf(2, 5_000)
    let nowMs = 4_999
    const several = createCredentialSeals([key, retired], { now: () => nowMs })
    const old = createCredentialSeals([retired], { now: () => nowMs }).seal(one, 'job')
    expect(several.open(old, 'job')).toEqual(one)
    expect(seals.open(several.seal(one, 'job'), 'job')).toEqual(one)
    nowMs = 5_000
    expect(() => several.open(old, 'job')).toThrow(unreadable)
    expect(() => seals.open(old, 'job')).toThrow(unreadable)
  })
})
