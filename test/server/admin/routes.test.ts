import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ServedRegistry, serveRegistry } from '../served-registry.ts'

let served: ServedRegistry
let bearer: string
beforeEach(async () => {
  served = await serveRegistry()
  bearer = await served.token({ rights: 'admin' })
})
afterEach(() => served[Symbol.asyncDispose]())

const paths: readonly (readonly [method: string, path: string])[] = [
  ['GET', '/-/models'],
  ['POST', '/-/models'],
  ['GET', '/-/models/digits'],
  ['DELETE', '/-/models/digits'],
  ['PUT', '/-/models/digits/aliases/prod'],
  ['DELETE', '/-/models/digits/aliases/prod'],
  ['GET', '/-/tenants'],
  ['POST', '/-/tenants'],
  ['DELETE', '/-/tenants/acme'],
  ['GET', '/-/access'],
  ['POST', '/-/access'],
  ['DELETE', '/-/access/1'],
  ['GET', '/-/audit'],
]

describe('the administration', () => {
  it.each(paths)('answers %s %s to nobody without an access that may administer', async (method, path) => {
    const reply = await served.call(path, { method })
    expect(reply).toMatchObject({ status: 401, json: { code: 'ACCESS_REQUIRED' } })
    expect(reply.headers.get('www-authenticate')).toMatch(/^Bearer/)
    for (const headers of [
      { authorization: `Token ${bearer}` },
      { 'synapse-access-token': `Token ${bearer}` },
      { serve_multiplexed_model_id: bearer },
      { cookie: `authorization=Bearer ${bearer}` },
    ]) {
      expect((await served.call(path, { method, headers })).status).toBe(401)
    }
    expect((await served.call(`${path}?access_token=${bearer}`, { method })).status).toBe(401)
    const weaker = await served.token({ rights: 'publish' })
    expect(await served.call(path, { method, bearer: weaker })).toMatchObject({
      status: 403,
      json: { code: 'ACCESS_FORBIDDEN' },
    })
  })

  it.each([
    ['PATCH', '/-/models', 'GET, POST, HEAD, OPTIONS'],
    ['PUT', '/-/models/digits', 'GET, DELETE, HEAD, OPTIONS'],
    ['GET', '/-/models/digits/aliases/prod', 'PUT, DELETE, OPTIONS'],
    ['POST', '/-/audit', 'GET, HEAD, OPTIONS'],
  ])('does not take %s %s', async (method, path, allow) => {
    const reply = await served.call(path, { method, bearer })
    expect(reply).toMatchObject({ status: 405, json: { code: 'METHOD_NOT_ALLOWED' } })
    expect(reply.headers.get('allow')).toBe(allow)
  })

  it('has nothing beside its paths', async () => {
    for (const path of ['/-/modelsx', '/-/models/a/b', '/-/models//', '/-/access/1/token']) {
      expect((await served.call(path, { bearer })).json).toMatchObject({ code: 'ROUTE_NOT_FOUND' })
    }
  })

  it('loses an access at once when it is revoked', async () => {
    const { json } = await served.call('/-/access', { bearer })
    await served.call(`/-/access/${json.accesses[0].id}`, { method: 'DELETE', bearer })
    expect((await served.call('/-/access', { bearer })).status).toBe(401)
  })
})

describe('models', () => {
  it('are listed, shown by version, and removed, and nobody keeps the replies', async () => {
    await served.addModel('digits', 1)
    await served.addModel('digits', 2)
    const list = await served.call('/-/models', { bearer })
    expect(list.json).toMatchObject({
      models: [{ id: 'digits', versions: [{ version: 2 }, { version: 1 }] }],
    })
    expect(list.headers.get('cache-control')).toBe('no-store')
    expect((await served.call('/-/models/digits@1', { bearer })).json.versions).toHaveLength(1)
    expect((await served.call('/-/models/digits%401', { bearer })).json.versions).toHaveLength(1)
    expect((await served.call('/-/models/digits@1', { method: 'DELETE', bearer })).status).toBe(204)
    expect((await served.call('/-/models/digits@1', { bearer })).json).toMatchObject({
      code: 'MODEL_NOT_FOUND',
    })
    expect((await served.call('/-/models/digits', { method: 'DELETE', bearer })).status).toBe(204)
    expect((await served.call('/-/models', { bearer })).json).toMatchObject({ models: [] })
  })

  it.each(['..%2f..%2fkey', '%2e%2e%2fkey', 'a%00b', 'a%2fb', '%F0%9F%98%80', 'digits@prod', 'digits@1@2'])(
    'that %s names are none',
    async (name) => {
      await served.addModel('digits', 1)
      for (const method of ['GET', 'DELETE']) {
        expect((await served.call(`/-/models/${name}`, { method, bearer })).json).toMatchObject({
          code: 'MODEL_NOT_FOUND',
        })
      }
    },
  )

  it('cannot be asked for by a path that is no text', async () => {
    for (const name of ['%', '%zz', '%ff']) {
      expect((await served.call(`/-/models/${name}`, { bearer })).json).toMatchObject({
        code: 'REQUEST_MALFORMED',
      })
    }
  })

  it('are not added from a path of the server', async () => {
    const source = await served.scratch.write('secret.onnx', 'secret')
    for (const json of [
      { id: 'stolen', source },
      { id: 'stolen', source, upload: 'a' },
      { id: 'stolen', upload: source },
      { id: 'stolen', upload: '../secret.onnx' },
    ]) {
      const { status } = await served.call('/-/models', { bearer, json })
      expect([404, 422]).toContain(status)
    }
    expect((await served.call('/-/models', { bearer })).json).toMatchObject({ models: [] })
  })

  it('have aliases', async () => {
    await served.addModel('digits', 1)
    const path = '/-/models/digits/aliases/prod'
    const targets = [{ version: 1, weight: 3 }]
    const set = await served.call(path, { method: 'PUT', bearer, json: { targets } })
    expect(set).toMatchObject({ status: 200, json: { alias: 'prod', targets } })
    expect(await served.call(path, { method: 'DELETE', bearer })).toMatchObject({ status: 204 })
    expect(await served.call(path, { method: 'DELETE', bearer })).toMatchObject({
      status: 404,
      json: { code: 'ENTRY_NOT_FOUND' },
    })
  })

  it.each([
    [{ targets: [] }],
    [{ targets: [{ version: 1 }] }],
    [{ targets: [{ version: 1, weight: 0 }] }],
    [{ targets: [{ version: 1.5, weight: 1 }] }],
    [{ targets: Array.from({ length: 100 }, () => ({ version: 1, weight: 1 })) }],
    [{ targets: [{ version: 1, weight: 1 }], more: 1 }],
  ])('get no alias of %j', async (json) => {
    await served.addModel('digits', 1)
    const reply = await served.call('/-/models/digits/aliases/prod', { method: 'PUT', bearer, json })
    expect(reply).toMatchObject({ status: 422, json: { code: 'INPUT_INVALID' } })
    expect(reply.json.issues[0].path).toMatch(/^\/(targets|more)/)
  })
})

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
