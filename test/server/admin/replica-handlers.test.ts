import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ServedRegistry, serveRegistry } from '../served-registry.ts'

let served: ServedRegistry
let bearer: string
beforeEach(async () => {
  served = await serveRegistry()
  bearer = await served.token({ rights: 'admin' })
  await served.addModel('digits', 1)
})
afterEach(() => served[Symbol.asyncDispose]())

const post = (name: string, json: unknown) =>
  served.call(`/-/replicas/${name}`, { method: 'POST', json, bearer })
const audited = async (): Promise<string[]> => {
  const { json } = await served.call('/-/audit', { bearer })
  return json.entries
    .map(({ action, target }: { action: string; target: string }) => `${action} ${target}`)
    .filter((line: string) => /^model\.(?:load|unload|pin|unpin)/.test(line))
}

describe('what is loaded', () => {
  it('is loaded, told, pinned, unpinned and unloaded, and the audit says by whom', async () => {
    const loaded = await post('load', { model: 'digits' })
    expect(loaded).toMatchObject({
      status: 201,
      json: { loaded: [{ function: 'read', id: 'digits', version: '1', pinned: false }] },
    })
    expect((await post('pin', { model: 'digits@1', function: 'read' })).json.loaded).toMatchObject([
      { pinned: true },
    ])
    const { json } = await served.call('/-/replicas', { bearer })
    expect(json).toMatchObject({
      replicas: [{ runners: [{ function: 'read', modelId: 'digits', pinned: true, principal: 'operator' }] }],
      departures: [],
      backlog: [],
    })
    expect(await post('unpin', { model: 'digits' })).toMatchObject({ status: 200, json: { unpinned: 1 } })
    expect(await post('unload', { model: 'digits' })).toMatchObject({ status: 200, json: { unloaded: 1 } })
    expect(await audited()).toEqual([
      'model.unload digits',
      'model.unpin digits',
      'model.pin digits@1',
      'model.load digits',
    ])
    const { json: audit } = await served.call('/-/audit?limit=1', { bearer })
    expect(audit.entries[0].actor).toMatch(/^access:\d+$/)
  })

  it('is told beside the models of the registry', async () => {
    await post('load', { model: 'digits', pin: true })
    const { json } = await served.call('/-/models', { bearer })
    expect(json.loaded).toEqual([
      { id: 'digits', version: '1', function: 'read', replica: 0, state: 'active', pinned: true },
    ])
  })

  it('is noted only where something was done', async () => {
    expect((await post('unload', { model: 'eyJhbGciOiJIUzI1NiJ9.e30.sig' })).json).toEqual({ unloaded: 0 })
    expect((await post('unpin', { model: 'digits' })).json).toEqual({ unpinned: 0 })
    expect((await post('load', { model: 'unknown' })).json).toMatchObject({ code: 'MODEL_NOT_FOUND' })
    expect((await post('pin', { model: 'digits', function: 'nowhere' })).json).toMatchObject({
      code: 'INPUT_INVALID',
      issues: [{ path: '/function' }],
    })
    expect(await audited()).toEqual([])
  })

  it.each([
    ['load', {}],
    ['load', { model: '' }],
    ['load', { model: 'x'.repeat(513) }],
    ['load', { model: 'digits', pin: 'yes' }],
    ['unload', { model: 'digits', pin: true }],
    ['pin', { model: 'digits', function: 7 }],
    ['unpin', { model: ['digits'] }],
  ])('does not take a %s of %j', async (name, json) => {
    expect(await post(name, json)).toMatchObject({ status: 422, json: { code: 'INPUT_INVALID' } })
  })
})
