import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type AccessFacts,
  type CallerFacts,
  confirmCaller,
  judge,
  mayPublish,
  mayUse,
} from '../../runtime/model/rights.ts'

const access: AccessFacts = {
  tenant: 'acme',
  tenantRevoked: false,
  models: null,
  expiresAtMs: null,
  revoked: false,
}
const caller: CallerFacts = {
  claimedTenant: null,
  claimedTenantRevoked: false,
  proven: false,
  access,
  nowMs: 1000,
}
const digits = { id: 'digits', owner: null }

const tenant = fc.constantFrom(null, 'acme', 'globex')
const accesses = fc.record<AccessFacts>({
  tenant,
  tenantRevoked: fc.boolean(),
  models: fc.option(fc.subarray(['digits', 'speech'])),
  expiresAtMs: fc.constantFrom(null, 999, 1000, 1001),
  revoked: fc.boolean(),
})
const callers = fc.record<CallerFacts>({
  claimedTenant: tenant,
  claimedTenantRevoked: fc.boolean(),
  proven: fc.boolean(),
  access: fc.oneof(accesses, fc.constantFrom('unknown' as const, 'none-carried' as const)),
  nowMs: fc.constant(1000),
})
const models = fc.record({ id: fc.constantFrom('digits', 'speech'), owner: tenant })

describe('a caller with an access token', () => {
  it('is confirmed for the tenant of the access, claimed or not', () => {
    for (const claimedTenant of [null, 'acme']) {
      expect(confirmCaller({ ...caller, claimedTenant })).toEqual({ granted: true, tenant: 'acme' })
    }
    expect(confirmCaller({ ...caller, access: { ...access, tenant: null } })).toEqual({
      granted: true,
      tenant: null,
    })
  })

  it.each<[string, Partial<AccessFacts>]>([
    ['is revoked', { revoked: true }],
    ['has ended', { expiresAtMs: 1000 }],
    ['is of a tenant that is revoked', { tenantRevoked: true }],
  ])('is refused where the access %s, whoever has signed', (_, facts) => {
    for (const proven of [true, false]) {
      expect(confirmCaller({ ...caller, proven, access: { ...access, ...facts } })).toEqual({
        granted: false,
        refusal: 'token',
      })
    }
  })

  it('is refused where the access is unknown, whoever has signed', () => {
    for (const proven of [true, false]) {
      expect(confirmCaller({ ...caller, proven, access: 'unknown' })).toMatchObject({ refusal: 'token' })
    }
  })

  it('is refused where another tenant is claimed than the access has', () => {
    expect(confirmCaller({ ...caller, claimedTenant: 'globex' })).toMatchObject({ refusal: 'tenant' })
    const nobodys = { ...access, tenant: null }
    expect(confirmCaller({ ...caller, claimedTenant: 'acme', access: nobodys })).toMatchObject({
      refusal: 'tenant',
    })
  })

  it('is refused every model that the access does not list, known or not', () => {
    const listed = { ...caller, access: { ...access, models: ['digits'] } }
    expect(judge(listed, digits)).toMatchObject({ granted: true })
    expect(judge(listed, { id: 'speech', owner: null })).toMatchObject({ refusal: 'model' })
    expect(judge({ ...caller, access: { ...access, models: [] } }, digits)).toMatchObject({
      refusal: 'model',
    })
  })

  it('is not helped by a list that names the model of another tenant', () => {
    const listed = { ...caller, access: { ...access, models: ['digits'] } }
    expect(judge(listed, { id: 'digits', owner: 'globex' })).toMatchObject({ refusal: 'model' })
  })
})

describe('a caller without an access token', () => {
  const bare: CallerFacts = { ...caller, access: 'none-carried' }

  it('is refused where nothing is proven', () => {
    expect(confirmCaller(bare)).toEqual({ granted: false, refusal: 'unproven' })
  })

  it('is confirmed for the tenant that a trusted issuer names, unless that is revoked', () => {
    const proven = { ...bare, proven: true, claimedTenant: 'acme' }
    expect(confirmCaller(proven)).toEqual({ granted: true, tenant: 'acme' })
    expect(confirmCaller({ ...proven, claimedTenantRevoked: true })).toMatchObject({ refusal: 'tenant' })
  })
})

describe('the rule of rights', () => {
  it('never grants the model of a tenant to anybody else', () => {
    fc.assert(
      fc.property(callers, models, (caller, model) => {
        const verdict = judge(caller, model)
        if (verdict.granted && model.owner !== null) expect(verdict.tenant).toBe(model.owner)
      }),
    )
  })

  it('never confirms a tenant that neither a good access nor a trusted issuer names', () => {
    fc.assert(
      fc.property(callers, (caller) => {
        const verdict = confirmCaller(caller)
        if (!verdict.granted) return
        const { access } = caller
        if (typeof access === 'object') expect(verdict.tenant).toBe(access.tenant)
        else
          expect([access, caller.proven, verdict.tenant]).toEqual([
            'none-carried',
            true,
            caller.claimedTenant,
          ])
      }),
    )
  })

  it('grants no more where something is taken away', () => {
    const takenAway: readonly ((caller: CallerFacts) => CallerFacts)[] = [
      (caller) => ({ ...caller, claimedTenantRevoked: true }),
      (caller) => ({ ...caller, access: caller.access === 'none-carried' ? caller.access : 'unknown' }),
      (caller) => ({ ...caller, proven: false }),
      (caller) => ({ ...caller, nowMs: caller.nowMs + 1 }),
      (caller) =>
        typeof caller.access === 'string' ? caller : { ...caller, access: { ...caller.access, models: [] } },
    ]
    fc.assert(
      fc.property(callers, models, fc.constantFrom(...takenAway), (caller, model, take) => {
        if (!judge(caller, model).granted) expect(judge(take(caller), model).granted).toBe(false)
      }),
    )
  })
})

describe('mayUse and mayPublish', () => {
  it('let a tenant use what is for everybody, and publish only what is its own or new', () => {
    const acme = { tenant: 'acme', models: null }
    const owned = (owner: string | null) => ({ id: 'digits', owner })
    expect([null, 'acme', 'globex'].map((owner) => mayUse(acme, owned(owner)))).toEqual([true, true, false])
    expect([null, 'acme', 'globex'].map((owner) => mayPublish(acme, 'digits', owned(owner)))).toEqual([
      false,
      true,
      false,
    ])
    expect(mayPublish(acme, 'digits', null)).toBe(true)
    expect(mayPublish({ ...acme, models: ['speech'] }, 'digits', null)).toBe(false)
  })
})
