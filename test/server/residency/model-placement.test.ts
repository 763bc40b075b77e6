import { Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import { IsoplexError } from '../../../runtime/error/error.ts'
import { defineInference, onnx } from '../../../runtime/index.ts'
import type { ServedFunction } from '../../../runtime/server/exchange.ts'
import type { ModelSource } from '../../../runtime/server/model-access.ts'
import { ModelPlacement } from '../../../runtime/server/residency/model-placement.ts'
import { deploymentOf, manifestOf, recordOf, sourceOfEverything, surround } from '../served.ts'
import { createMemoryResidency, type MemoryResidency } from './memory-residency.ts'

/** A function with a model; another code makes another deployment of it. */
function serve(name: string, code = '0'): ServedFunction {
  const definition = defineInference({ input: Type.Unknown(), model: onnx(), infer: () => null })
  const manifest = { ...manifestOf(`${name}.ts`, definition), bundle: `bundle-${code.repeat(16)}.js` }
  return { manifest, deployment: deploymentOf(manifest) }
}

/** A source in which `digits` has the versions 1 to 3, the newest counts, and `digits@split` means two of them. */
const digits: ModelSource = sourceOfEverything({
  async find({ modelId, tenant }) {
    const [id = '', selected = '3'] = modelId.split('@')
    if (id !== 'digits') throw new IsoplexError('MODEL_NOT_FOUND', 'No.', { details: { model: id } })
    const versions = selected === 'split' ? ['1', '2'] : [selected]
    return { tenant, versions: versions.map((version) => ({ weight: 1, record: recordOf(id, version) })) }
  },
  async prepare({ id, version }, tenant) {
    const key = `embedded/${tenant ?? ''}/${id}@${version}~${'0'.repeat(32)}`
    return { key, digest: '0'.repeat(64), bytes: 1, info: { id, version: version ?? '', path: '/models' } }
  },
})

interface Placed {
  readonly placement: ModelPlacement
  readonly residency: MemoryResidency
  readonly log: ReturnType<typeof surround>['log']
}

function place(
  functions: readonly ServedFunction[],
  config: { readonly pinned?: readonly string[]; readonly preloaded?: readonly string[] } = {},
): Placed {
  const residency = createMemoryResidency()
  const { exchange, log } = surround()
  const { pinned: pinnedModels = [], preloaded: preloadModels = [] } = config
  const options = { residency, source: digits, log: exchange.log, pinnedModels, preloadModels }
  const placement = new ModelPlacement(options)
  placement.follow(functions)
  return { placement, residency, log }
}

const ask = (model: string, functionName: string | null = null, tenant: string | null = null) => ({
  model,
  functionName,
  tenant,
})

function loadedIn({ placement }: Placed): string[] {
  const runners = placement.report().replicas.flatMap((replica) => replica.runners)
  return runners.map(
    ({ function: name, modelId, version, pinned }) =>
      `${name} ${modelId}@${version}${pinned ? ' pinned' : ''}`,
  )
}

describe('loading', () => {
  it('loads what a token of that name would get, in the name of the operator', async () => {
    const placed = place([serve('read')])
    expect(await placed.placement.load(ask('digits'), { pin: false })).toEqual([
      { function: 'read', id: 'digits', version: '3', pinned: false },
    ])
    expect(placed.residency.loads).toMatchObject([{ options: { pin: false, principal: 'operator' } }])
  })

  it('loads every version that an alias means', async () => {
    const placed = place([serve('read')])
    await placed.placement.load(ask('digits@split'), { pin: true })
    expect(loadedIn(placed)).toEqual(['read digits@1 pinned', 'read digits@2 pinned'])
  })

  it('says what keeps a model from being loaded', async () => {
    const placed = place([serve('read')])
    await expect(placed.placement.load(ask('unknown'), { pin: false })).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
    })
    placed.residency.failures.set('digits', new IsoplexError('ROOM_TAKEN', 'Full.'))
    await expect(placed.placement.load(ask('digits'), { pin: false })).rejects.toMatchObject({
      code: 'ROOM_TAKEN',
    })
  })
})

describe('unloading', () => {
  const all = ['read digits@1', 'read digits@2', 'write digits@1', 'write digits@2']

  async function placeAll(pin: boolean): Promise<Placed> {
    const placed = place([serve('read'), serve('write')])
    for (const name of ['read', 'write']) await placed.placement.load(ask('digits@split', name), { pin })
    return placed
  }

  it('takes every version where none is named, in every function, pinned or not', async () => {
    const placed = await placeAll(true)
    expect(await placed.placement.unload(ask('digits'))).toBe(4)
    expect(loadedIn(placed)).toEqual([])
  })

  it.each([
    [ask('digits@1'), ['read digits@2', 'write digits@2']],
    [ask('digits@1', 'read'), ['read digits@2', 'write digits@1', 'write digits@2']],
    [ask('digits', 'write'), ['read digits@1', 'read digits@2']],
    [ask('digits@split'), []],
    [ask('digits@9'), all],
    [ask('other'), all],
  ])('of %j leaves %j', async (question, left) => {
    const placed = await placeAll(false)
    expect(await placed.placement.unload(question)).toBe(all.length - left.length)
    expect(loadedIn(placed).toSorted()).toEqual(left)
  })

  it("takes one tenant's model only where a tenant is named", async () => {
    const placed = place([serve('read')])
    for (const tenant of ['acme', 'other'])
      await placed.placement.load(ask('digits', null, tenant), { pin: false })
    expect(await placed.placement.unload(ask('digits', null, 'acme'))).toBe(1)
    expect(await placed.placement.unload(ask('digits'))).toBe(1)
  })
})

describe('a pin', () => {
  it('has the model loaded for each new version of its function', async () => {
    const placed = place([serve('read')])
    await placed.placement.load(ask('digits'), { pin: true })
    placed.placement.follow([serve('read', '1'), serve('other')])
    placed.placement.follow([serve('read', '1')])
    const deployments = placed.residency.loads.map(({ deployment }) => deployment.id)
    expect(deployments).toEqual([serve('read').deployment.id, serve('read', '1').deployment.id])
    expect(placed.residency.loads.map(({ options }) => options.pin)).toEqual([true, true])
  })

  it('counts again when its function is back', async () => {
    const placed = place([serve('read')])
    await placed.placement.load(ask('digits'), { pin: true })
    placed.placement.follow([])
    placed.placement.follow([serve('read')])
    expect(placed.residency.loads).toHaveLength(2)
  })

  it('is gone after it was taken away, and after an unload', async () => {
    for (const end of ['unpin', 'unload'] as const) {
      const placed = place([serve('read')])
      await placed.placement.load(ask('digits'), { pin: true })
      expect(await placed.placement[end](ask('digits@3'))).toBe(1)
      expect(await placed.placement.unpin(ask('digits'))).toBe(0)
      placed.placement.follow([serve('read', '1')])
      expect(placed.residency.loads).toHaveLength(1)
    }
  })

  it('is none where the model cannot be loaded, unless there was one before', async () => {
    const placed = place([serve('read')])
    placed.residency.failures.set('digits', new IsoplexError('ROOM_TAKEN', 'Full.'))
    await expect(placed.placement.load(ask('digits'), { pin: true })).rejects.toThrow('Full.')
    expect(await placed.placement.unpin(ask('digits'))).toBe(0)
    placed.residency.failures.clear()
    await placed.placement.load(ask('digits'), { pin: true })
    placed.residency.failures.set('digits', new IsoplexError('ROOM_TAKEN', 'Full.'))
    await expect(placed.placement.load(ask('digits'), { pin: true })).rejects.toThrow('Full.')
    expect(await placed.placement.unpin(ask('digits'))).toBe(1)
  })

  it('of the configuration stays where the first load fails', async () => {
    const placed = place([serve('read')], { pinned: ['digits'] })
    placed.residency.failures.set('digits', new IsoplexError('ROOM_TAKEN', 'Full.'))
    await placed.placement.preload()
    placed.residency.failures.clear()
    placed.placement.follow([serve('read', '1')])
    expect(loadedIn(placed)).toEqual(['read digits@3 pinned'])
  })

  it('is logged where the new version cannot have its model', async () => {
    const placed = place([serve('read')])
    await placed.placement.load(ask('digits'), { pin: true })
    const details = { model: 'digits', bytes: 2, limitBytes: 1 }
    placed.residency.failures.set('digits', new IsoplexError('MODEL_TOO_LARGE', 'No.', { details }))
    placed.placement.follow([serve('read', '1')])
    while (placed.log.length === 0) await Bun.sleep(1)
    expect(placed.log).toMatchObject([{ level: 'warn', fields: { function: 'read', model: 'digits' } }])
  })
})

describe('the models of the configuration', () => {
  it('are loaded once the functions are known, those that are pinned with their pins', async () => {
    const config = { pinned: ['write=digits@1'], preloaded: ['read=digits', 'read=digits@split'] }
    const placed = place([serve('read'), serve('write')], config)
    expect(placed.placement.preloads).toEqual({ loading: 3, loaded: 0, failed: 0 })
    await placed.placement.preload()
    expect(placed.placement.preloads).toEqual({ loading: 0, loaded: 3, failed: 0 })
    expect(loadedIn(placed).toSorted()).toEqual([
      'read digits@1',
      'read digits@2',
      'read digits@3',
      'write digits@1 pinned',
    ])
  })

  it('are logged where they cannot be loaded, and keep nobody waiting', async () => {
    const placed = place([serve('read'), serve('write')], { preloaded: ['digits', 'read=unknown'] })
    await placed.placement.preload()
    expect(placed.placement.preloads).toEqual({ loading: 0, loaded: 0, failed: 2 })
    const facts = placed.log.map(({ level, fields }) => [level, fields?.entry, fields?.setting])
    expect(facts.toSorted()).toEqual([
      ['warn', 'digits', 'preloadModels'],
      ['warn', 'read=unknown', 'preloadModels'],
    ])
  })

  it('are not spoken of when the server stops meanwhile', async () => {
    const placed = place([serve('read')], { preloaded: ['digits'] })
    const details = { retryAfterMs: 1 }
    placed.residency.failures.set('digits', new IsoplexError('DRAINING', 'Bye.', { details }))
    await placed.placement.preload()
    expect(placed.log).toEqual([])
  })
})
