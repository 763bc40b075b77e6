import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ServedRegistry, serveRegistry } from '../served-registry.ts'

let served: ServedRegistry
let bearer: string
beforeEach(async () => {
  served = await serveRegistry()
  bearer = await served.token({ rights: 'admin' })
})
afterEach(() => served[Symbol.asyncDispose]())

describe('tenants and accesses', () => {
  it('are added, listed and revoked', async () => {
    const name = 'Ärzte/1?#&%'
    expect(await served.call('/-/tenants', { bearer, json: { name } })).toMatchObject({
      status: 201,
      json: { name },
    })
    const added = await served.call('/-/access', {
      bearer,
      json: { tenant: name, models: ['digits'], label: 'x' },
    })
    expect(added).toMatchObject({ status: 201, json: { id: 2, token: expect.any(String) } })
    expect(added.headers.get('cache-control')).toBe('no-store')
    const { json } = await served.call('/-/access', { bearer })
    expect(json.accesses[1]).toMatchObject({
      id: 2,
      tenant: name,
      models: ['digits'],
      rights: 'use',
      label: 'x',
    })
    expect(JSON.stringify(json)).not.toContain(added.json.token)
    expect(
      await served.call(`/-/tenants/${encodeURIComponent(name)}`, { method: 'DELETE', bearer }),
    ).toMatchObject({
      status: 200,
      json: { name, revokedAtMs: expect.any(Number) },
    })
    expect((await served.call('/-/tenants', { bearer })).json.tenants).toHaveLength(1)
  })

  it.each([
    ['/-/tenants', { name: '' }, '/name'],
    ['/-/tenants', { name: 1 }, '/name'],
    ['/-/tenants', [], ''],
    ['/-/access', { rights: 'root' }, '/rights'],
    ['/-/access', { models: 'digits' }, '/models'],
    ['/-/access', { models: ['../x'] }, '/models'],
    ['/-/access', { expiresAtMs: 1 }, '/expiresAtMs'],
    ['/-/access', { label: 'a\u0000' }, '/label'],
    ['/-/access', { actor: 'somebody' }, '/actor'],
  ])('at %s are not made of %j', async (path, json, place) => {
    const reply = await served.call(path, { bearer, json })
    expect(reply).toMatchObject({ status: 422, json: { code: 'INPUT_INVALID' } })
    expect(reply.json.issues[0].path.startsWith(place)).toBe(true)
  })

  it('stand in the audit with who made them', async () => {
    await served.call('/-/tenants', { bearer, json: { name: 'acme' } })
    const { json } = await served.call('/-/audit?limit=1', { bearer })
    expect(json.entries).toMatchObject([{ actor: 'access:1', action: 'tenant.add', target: 'acme' }])
    const { json: older } = await served.call(`/-/audit?before=${json.entries[0].id}`, { bearer })
    expect(older.entries).toMatchObject([{ actor: 'test', action: 'access.add' }])
    for (const query of ['limit=0', 'limit=x', 'limit=5000', 'before=-1', 'limit=']) {
      expect((await served.call(`/-/audit?${query}`, { bearer })).json).toMatchObject({
        code: 'INPUT_INVALID',
      })
    }
  })
})
