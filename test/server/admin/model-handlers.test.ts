import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ServedRegistry, serveRegistry } from '../served-registry.ts'

let served: ServedRegistry
let bearer: string
beforeEach(async () => {
  served = await serveRegistry()
  bearer = await served.token({ rights: 'admin' })
})
afterEach(() => served[Symbol.asyncDispose]())

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
