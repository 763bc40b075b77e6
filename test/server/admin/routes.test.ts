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
  ['POST', '/-/store/verify'],
  ['POST', '/-/store/prune'],
  ['GET', '/-/replicas'],
  ['POST', '/-/replicas/load'],
  ['POST', '/-/replicas/unload'],
  ['POST', '/-/replicas/pin'],
  ['POST', '/-/replicas/unpin'],
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
