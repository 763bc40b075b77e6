import { expect, it } from 'vitest'
import { createAdministration } from '../../runtime/model/administration.ts'
import { createScratch } from './scratch.ts'
import { openScratchRegistry } from './scratch-registry.ts'

it('does all that there is to do with plain parameters, and answers plain data', async () => {
  await using scratch = await createScratch()
  await using registry = await openScratchRegistry(scratch, { now: () => 1000 })
  const administration = createAdministration(registry)
  const source = await scratch.write('model.onnx', 'graph')
  const actor = 'cli'
  const asked: unknown[] = []
  const plain = <Value>(value: Value): Value => {
    asked.push(value)
    const copy = structuredClone(value)
    expect(copy).toEqual(value)
    return copy
  }
  const added = await administration.addModel(
    plain({ actor, id: 'digits', source, tenant: 'acme', fields: {} }),
  )
  expect(plain(added)).toMatchObject({ id: 'digits', version: 1, changed: true })
  const targets = [{ version: 1, weight: 1 }]
  plain(await administration.setAlias(plain({ actor, id: 'digits', alias: 'prod', targets })))
  const [model] = plain(await administration.listModels({}))
  expect(model).toMatchObject({ id: 'digits', tenant: 'acme', aliases: [{ alias: 'prod', targets }] })
  expect(plain(await administration.showModel({ id: 'digits' }))).toEqual(model)
  await administration.removeAlias(plain({ actor, id: 'digits', alias: 'prod' }))
  await administration.removeModel(plain({ actor, id: 'digits', version: null }))
  expect(await administration.listModels({})).toEqual([])

  const tenant = plain(await administration.addTenant(plain({ actor, name: 'acme' })))
  expect(plain(await administration.listTenants({}))).toEqual([tenant])
  const options = { tenant: 'acme', models: null, rights: 'admin', label: 'ann', expiresAtMs: null } as const
  const { id, token } = plain(await administration.addAccess(plain({ actor, ...options })))
  const checked = plain(await administration.checkAccess({ token }))
  expect(checked).toEqual({ id, tenant: 'acme', models: null, rights: 'admin' })
  const [access] = plain(await administration.listAccesses({}))
  expect(access).toEqual({ id, ...options, addedAtMs: 1000, revokedAtMs: null })
  expect(plain(await administration.revokeAccess({ actor, id }))).toEqual({ ...access, revokedAtMs: 1000 })
  expect(await administration.checkAccess({ token })).toBeNull()
  expect(plain(await administration.revokeTenant({ actor, name: 'acme' }))).toMatchObject({
    revokedAtMs: 1000,
  })

  const audit = plain(await administration.listAudit({ limit: 100 }))
  expect(audit.map(({ action }) => action).toReversed()).toEqual([
    'model.add',
    'alias.set',
    'alias.remove',
    'model.remove',
    'tenant.add',
    'access.add',
    'access.revoke',
    'tenant.revoke',
  ])
  expect(JSON.stringify(audit)).not.toContain('isoplexat_')
  expect(asked.length).toBeGreaterThan(8)
})
