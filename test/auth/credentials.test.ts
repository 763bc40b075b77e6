import { describe, expect, it } from 'vitest'
import { createCredentials, withModel } from '../../runtime/auth/credentials.ts'

const said = {
  modelId: 'digits',
  tenant: 'acme',
  accessToken: 'secret',
  issuer: 'project',
  proven: true,
  expiresAtMs: 1_000,
}

describe('credentials', () => {
  it('have one identity for what says the same, whenever it ends, and another for all else', () => {
    const { identity } = createCredentials(said)
    expect(createCredentials({ ...said, expiresAtMs: 2_000 }).identity).toBe(identity)
    for (const other of [
      { modelId: 'speech' },
      { tenant: null },
      { accessToken: null },
      { issuer: 'other' },
      { proven: false },
    ]) {
      expect(createCredentials({ ...said, ...other }).identity).not.toBe(identity)
    }
    expect(identity).not.toContain('secret')
  })

  it('ask for another model as the same caller', () => {
    const credentials = createCredentials(said)
    expect(withModel(credentials, 'digits')).toBe(credentials)
    expect(withModel(credentials, 'speech')).toEqual(createCredentials({ ...said, modelId: 'speech' }))
  })
})
