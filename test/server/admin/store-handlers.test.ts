import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ServedRegistry, serveRegistry } from '../served-registry.ts'

let served: ServedRegistry
let bearer: string
beforeEach(async () => {
  served = await serveRegistry()
  bearer = await served.token({ rights: 'admin' })
})
afterEach(() => served[Symbol.asyncDispose]())

describe('the store', () => {
  it('is verified, and rid of what is broken only where that is asked for', async () => {
    const digest = await served.addModel('digits', 1)
    expect((await served.call('/-/store/verify', { bearer, json: {} })).json).toEqual({ broken: [] })
    await served.scratch.write(`artifacts/${digest}`, 'broken')
    const broken = [{ digest, part: 'artifact', file: null }]
    for (const remove of [false, true]) {
      expect((await served.call('/-/store/verify', { bearer, json: { remove } })).json).toEqual({ broken })
    }
    expect((await served.call('/-/store/verify', { bearer, json: {} })).json).toEqual({ broken: [] })
  })

  it('is pruned of nothing that a model names', async () => {
    await served.addModel('digits', 1)
    const pruned = await served.call('/-/store/prune', { bearer, json: { maxBytes: 0 } })
    expect(pruned).toMatchObject({ status: 200, json: { removed: [] } })
    expect(await served.scratch.list('artifacts')).toHaveLength(1)
  })

  it.each([{}, { maxBytes: -1 }, { maxBytes: 1.5 }, { maxBytes: '1' }, { maxBytes: 1, keep: [] }])(
    'is not pruned by %j',
    async (json) => {
      expect(await served.call('/-/store/prune', { bearer, json })).toMatchObject({
        status: 422,
        json: { code: 'INPUT_INVALID' },
      })
    },
  )

  it('has a model that is pulled, and tells which version of which artifact', async () => {
    const digest = await served.addModel('digits', 1)
    expect(await served.scratch.list('unpacked')).toEqual([])
    const { status, json } = await served.call('/-/store/pull', { bearer, json: { id: 'digits' } })
    expect({ status, json }).toEqual({
      status: 201,
      json: { pulled: [{ id: 'digits', version: '1', digest }] },
    })
    expect(await served.scratch.list('unpacked')).toContain(`${digest}/model.onnx`)
  })

  it('has no model that there is not', async () => {
    expect(await served.call('/-/store/pull', { bearer, json: { id: 'nothing' } })).toMatchObject({
      status: 404,
      json: { code: 'MODEL_NOT_FOUND' },
    })
  })
})
