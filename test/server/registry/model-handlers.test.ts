import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { addConstantModel } from '../../support/onnx-models.ts'
import { pathOf, type ServedRegistry, serveRegistry } from '../served-registry.ts'

let served: ServedRegistry
beforeEach(async () => {
  served = await serveRegistry()
})
afterEach(() => served[Symbol.asyncDispose]())

const base = '/-/registry'

describe('models', () => {
  it('are given as Synapse has them, with a link that needs no header', async () => {
    const digest = await served.addModel('34', 1)
    const token = await served.token({ tenant: 'acme' })
    const { status, json } = await served.call(`${base}/models/34/`, { token })
    expect({ status, json }).toEqual({
      status: 200,
      json: {
        id: 34,
        name: '34',
        version: '1',
        file: expect.stringContaining(digest),
        checksum: `sha256:${digest}`,
        size: expect.any(Number),
        tenant: 'acme',
      },
    })
    const reply = await served.fetch(pathOf(json.file))
    expect(reply.status).toBe(200)
    expect(new Uint8Array(await reply.arrayBuffer())).toEqual(addConstantModel(1))
  })

  it.each([
    { authorization: 'Token' },
    { authorization: 'Bearer' },
    { 'synapse-access-token': 'Token' },
    { authorization: 'Token', 'synapse-tenant': 'Token acme' },
  ])('are given to clients that send %j', async (headers) => {
    await served.addModel('34', 1)
    const token = await served.token({ tenant: 'acme' })
    const sent = Object.entries(headers).map(([name, value]) => [
      name,
      name === 'synapse-tenant' ? value : `${value} ${token}`,
    ])
    const reply = await served.call(`${base}/models/34`, { headers: Object.fromEntries(sent) })
    expect(reply.status).toBe(200)
  })

  it('are given by version and alias', async () => {
    await served.addModel('digits', 1)
    await served.addModel('digits', 2)
    const targets = [{ version: 1, weight: 1 }]
    await served.administration.setAlias({ actor: 'test', id: 'digits', alias: 'prod', targets })
    const token = await served.token({})
    for (const [name, version] of [
      ['digits', '2'],
      ['digits@1', '1'],
      ['digits%402', '2'],
      ['digits%40prod', '1'],
    ]) {
      expect((await served.call(`${base}/models/${name}/`, { token })).json).toMatchObject({ version })
    }
  })

  it('are given to one client in one version, where several share the requests', async () => {
    await served.addModel('digits', 1)
    await served.addModel('digits', 2)
    const targets = [1, 2].map((version) => ({ version, weight: 1 }))
    await served.administration.setAlias({ actor: 'test', id: 'digits', alias: 'prod', targets })
    const given = new Set<string>()
    for (let client = 0; client < 32; client += 1) {
      const token = await served.token({})
      const replies = [1, 2].map(() => served.call(`${base}/models/digits@prod/`, { token }))
      const [first, second] = await Promise.all(replies)
      expect(second?.json.version).toBe(first?.json.version)
      given.add(first?.json.version)
    }
    expect(given).toEqual(new Set(['1', '2']))
  })

  it('are refused without a right to them, each in its own way', async () => {
    await served.addModel('open', 1)
    await served.addModel('owned', 1, 'acme')
    const stranger = await served.token({ tenant: 'other' })
    const limited = await served.token({ models: ['open'] })
    const codeOf = async (name: string, options = {}): Promise<unknown> =>
      (await served.call(`${base}/models/${name}/`, options)).json.code
    expect(await codeOf('open')).toBe('ACCESS_REQUIRED')
    expect(await codeOf('open', { token: 'bad' })).toBe('ACCESS_REQUIRED')
    expect(await codeOf('owned', { token: stranger })).toBe('MODEL_FORBIDDEN')
    expect(await codeOf('owned', { token: limited })).toBe('MODEL_FORBIDDEN')
    expect(await codeOf('nowhere', { token: stranger })).toBe('MODEL_NOT_FOUND')
    expect(await codeOf('..%2fkey', { token: stranger })).toBe('MODEL_NOT_FOUND')
    const headers = { 'synapse-tenant': 'Token acme' }
    expect(await codeOf('open', { token: stranger, headers })).toBe('ACCESS_FORBIDDEN')
  })

  it('come in pages, and only those that an access gives', async () => {
    for (const id of ['a', 'b', 'c', 'd']) await served.addModel(id, 1, id === 'b' ? 'acme' : undefined)
    const token = await served.token({ tenant: 'other' })
    const first = await served.call(`${base}/models/?page_size=2`, { token })
    expect(first.json).toMatchObject({ count: 3, results: [{ id: 'a' }, { id: 'c' }] })
    const second = await served.call(pathOf(first.json.next), { token })
    expect(second.json).toMatchObject({ count: 3, next: null, results: [{ id: 'd' }] })
    expect((await served.call(`${base}/models/?page=99`, { token })).json).toMatchObject({ results: [] })
    const owner = await served.token({ tenant: 'acme', models: ['a', 'b'] })
    expect((await served.call(`${base}/models/?page_size=1000`, { token: owner })).json).toMatchObject({
      count: 2,
    })
    for (const query of ['page=0', 'page=x', 'page_size=-1', 'page=1e9']) {
      expect((await served.call(`${base}/models/?${query}`, { token })).json).toMatchObject({
        code: 'INPUT_INVALID',
      })
    }
  })
})
