import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ServedRegistry, serveRegistry } from '../served-registry.ts'

let served: ServedRegistry
let bearer: string
beforeEach(async () => {
  served = await serveRegistry()
  bearer = await served.token({ rights: 'admin' })
})
afterEach(() => served[Symbol.asyncDispose]())

const put = (name: string, json: unknown) =>
  served.call(`/-/deployments/${name}`, { method: 'PUT', json, bearer })

describe('the deployments over HTTP', () => {
  it('are listed with the address at which they are called, and shown one by one', async () => {
    const { json } = await served.call('/-/deployments', { bearer })
    expect(json).toMatchObject({
      url: 'http://localhost:3000/',
      deployments: [{ name: 'digits', route: '/digits' }],
    })
    expect((await served.call('/-/deployments/digits', { bearer })).json).toEqual(json.deployments[0])
  })

  it('are changed', async () => {
    const change = { replicas: { min: 0, max: 2 }, options: { a: 1 }, resources: { provider: 'cpu' } }
    expect(await put('digits', change)).toMatchObject({
      status: 200,
      json: { name: 'digits', settings: change },
    })
    const { json } = await served.call('/-/deployments/digits', { bearer })
    expect(json.settings).toEqual(change)
  })

  it.each([[{ replicas: 0 }], [{ replcas: 1 }], [{ routePrefix: '/a' }], [[]], ['{']])(
    'are not changed to %j',
    async (change) => {
      expect((await put('digits', change)).status).toBe(422)
    },
  )

  it('are for administrators only, and no other name has one', async () => {
    expect((await served.call('/-/deployments')).status).toBe(401)
    const user = await served.token({ rights: 'use' })
    expect((await served.call('/-/deployments', { bearer: user })).status).toBe(403)
    expect(
      (await served.call('/-/deployments/digits', { method: 'PUT', json: {}, bearer: user })).status,
    ).toBe(403)
    expect(await put('nobody', {})).toMatchObject({ status: 404, json: { code: 'DEPLOYMENT_NOT_FOUND' } })
  })
})
