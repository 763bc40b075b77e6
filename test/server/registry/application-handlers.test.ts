import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ServedRegistry, serveRegistry } from '../served-registry.ts'

let served: ServedRegistry
let token: string
beforeEach(async () => {
  served = await serveRegistry()
  token = await served.token({ rights: 'publish' })
})
afterEach(() => served[Symbol.asyncDispose]())

const path = '/-/registry/serve_applications/'
const meant = { job: 7, status: 'RUNNING', data: { name: 'ocr@1', deployments: {} } }
const modelled = { name: 'ocr@1', plugin_release: 12, action: 'deploy', params: { num_gpus: 1 } }

describe('a deployed application', () => {
  it('is registered by either body of Synapse, and listed', async () => {
    const first = await served.call(path, { method: 'POST', token, json: meant })
    expect(first).toMatchObject({ status: 201, json: { id: 1, name: 'ocr@1', ...meant } })
    const second = await served.call(path, { method: 'POST', token, json: modelled })
    expect(second).toMatchObject({ status: 201, json: { id: 1, ...modelled, num_replicas: 1 } })
    const listed = await served.call(path, { token })
    expect(listed.json).toEqual({ count: 1, next: null, results: [second.json] })
    expect((await served.call(`${path}1/`, { token })).json).toEqual(second.json)
    expect(await served.call(`${path}2/`, { token })).toMatchObject({
      status: 404,
      json: { code: 'ENTRY_NOT_FOUND' },
    })
  })

  it('without a name is that of its job', async () => {
    const { json } = await served.call(path, { method: 'POST', token, json: { job: 'job_1', data: {} } })
    expect(json).toMatchObject({ name: 'job job_1', status: null })
  })

  it('is seen by its own tenant, and by administrators', async () => {
    const acme = await served.token({ rights: 'publish', tenant: 'acme' })
    const admin = await served.token({ rights: 'admin' })
    await served.call(path, { method: 'POST', token: acme, json: meant })
    const countFor = async (reader: string): Promise<number> =>
      (await served.call(path, { token: reader })).json.count
    expect(await Promise.all([acme, token, admin].map(countFor))).toEqual([1, 0, 1])
    expect((await served.call(`${path}1/`, { token })).status).toBe(404)
  })

  it('is registered by nobody who may not publish', async () => {
    const user = await served.token({ rights: 'use' })
    expect(await served.call(path, { method: 'POST', token: user, json: meant })).toMatchObject({
      status: 403,
      json: { code: 'ACCESS_FORBIDDEN' },
    })
    expect((await served.call(path, { method: 'POST', json: meant })).status).toBe(401)
    expect((await served.call(path)).status).toBe(401)
  })

  it.each([
    [{}, '/job'],
    [{ job: 1 }, '/data'],
    [{ name: 'a', plugin_release: 1 }, '/action'],
    [{ ...modelled, plugin_release: '1' }, '/plugin_release'],
    [{ ...meant, data: [] }, '/data'],
    [{ ...meant, more: 1 }, '/more'],
  ])('is refused where it is %j', async (json, place) => {
    const reply = await served.call(path, { method: 'POST', token, json })
    expect(reply).toMatchObject({ status: 422, json: { code: 'INPUT_INVALID', issues: [{ path: place }] } })
  })
})
