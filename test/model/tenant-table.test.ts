import { describe, expect, it } from 'vitest'
import { createScratch } from './scratch.ts'
import { actor, bearer, openScratchRegistry, question } from './scratch-registry.ts'

const access = { models: null, rights: 'use', label: '', expiresAtMs: null } as const

describe('a tenant', () => {
  it('is added once, and shown as revoked once it is', async () => {
    await using scratch = await createScratch()
    let nowMs = 1000
    await using registry = await openScratchRegistry(scratch, { now: () => nowMs++ })
    const acme = { name: 'acme', addedAtMs: 1000, revokedAtMs: null }
    expect(await registry.addTenant({ actor, name: 'acme' })).toEqual(acme)
    expect(await registry.addTenant({ actor, name: 'acme' })).toEqual(acme)
    await registry.addTenant({ actor, name: 'Zoë & Co' })
    nowMs = 2000
    const revoked = { ...acme, revokedAtMs: 2000 }
    expect(await registry.revokeTenant({ actor, name: 'acme' })).toEqual(revoked)
    expect(await registry.revokeTenant({ actor, name: 'acme' })).toEqual(revoked)
    expect(await registry.listTenants()).toEqual([
      { name: 'Zoë & Co', addedAtMs: 1002, revokedAtMs: null },
      revoked,
    ])
    expect(
      (await registry.listAudit({ limit: 9 })).map(({ action, target }) => `${action} ${target}`),
    ).toEqual(['tenant.revoke acme', 'tenant.add Zoë & Co', 'tenant.add acme'])
  })

  it('takes all its accesses with it, which do not come back with it', async () => {
    await using scratch = await createScratch()
    await using registry = await openScratchRegistry(scratch)
    for (const name of ['acme', 'globex']) await registry.addTenant({ actor, name })
    const first = await registry.addAccess({ actor, ...access, tenant: 'acme' })
    const other = await registry.addAccess({ actor, ...access, tenant: 'globex' })
    await registry.revokeTenant({ actor, name: 'acme' })
    expect(await registry.listAudit({ limit: 1 })).toMatchObject([{ details: { accesses: [first.id] } }])
    await expect(registry.addAccess({ actor, ...access, tenant: 'acme' })).rejects.toMatchObject({
      code: 'ENTRY_NOT_FOUND',
      details: { entry: 'acme' },
    })
    expect(await registry.addTenant({ actor, name: 'acme' })).toMatchObject({ revokedAtMs: null })
    await expect(registry.confirm(question('a', bearer(first.token)))).rejects.toMatchObject({
      code: 'TOKEN_INVALID',
    })
    expect(await registry.confirm(question('a', bearer(other.token)))).toBe('globex')
    expect((await registry.listAccesses()).map(({ revokedAtMs }) => revokedAtMs !== null)).toEqual([
      true,
      false,
    ])
    expect(await registry.addAccess({ actor, ...access, tenant: 'acme' })).toMatchObject({ id: 3 })
  })

  it('that was never added cannot be revoked', async () => {
    await using scratch = await createScratch()
    await using registry = await openScratchRegistry(scratch)
    await expect(registry.revokeTenant({ actor, name: 'acme' })).rejects.toMatchObject({
      code: 'ENTRY_NOT_FOUND',
      details: { entry: 'acme' },
    })
  })

  it.each(['', 'a\tb', 'x'.repeat(257), '\udc00'])('is not called %j', async (name) => {
    await using scratch = await createScratch()
    await using registry = await openScratchRegistry(scratch)
    const invalid = { code: 'INPUT_INVALID', details: { issues: [{ path: '/name' }] } }
    await expect(registry.addTenant({ actor, name })).rejects.toMatchObject(invalid)
    await expect(registry.revokeTenant({ actor, name })).rejects.toMatchObject(invalid)
    expect(await registry.listTenants()).toEqual([])
  })
})
