import { describe, expect, it } from 'vitest'
import type { AddedModel, AddModelOptions, Publisher } from '../../runtime/model/registration.ts'
import { createScratch } from './scratch.ts'
import { actor, openScratchRegistry as open } from './scratch-registry.ts'

describe('the owner of a model', () => {
  it('stays until another is said, and is forgotten with the last version', async () => {
    await using scratch = await createScratch()
    await using registry = await open(scratch)
    const source = await scratch.write('a.onnx', 'graph')
    const add = (options: Partial<AddModelOptions>): Promise<AddedModel> =>
      registry.add({ actor, id: 'a', source, ...options })
    const owner = async (): Promise<string | null> => (await registry.show('a')).tenant
    await add({})
    expect(await owner()).toBeNull()
    expect(await add({ tenant: 'acme' })).toMatchObject({ version: 1, changed: false })
    expect(await owner()).toBe('acme')
    await add({ fields: { a: 1 } })
    expect(await owner()).toBe('acme')
    await add({ tenant: null, fields: { a: 1 } })
    expect(await owner()).toBeNull()
    await add({ tenant: 'acme' })
    for (const version of [1, 2, 3]) await registry.remove({ actor, id: 'a', version })
    await add({})
    expect(await owner()).toBeNull()
    await add({ tenant: 'acme' })
    await registry.remove({ actor, id: 'a', version: null })
    await add({})
    expect(await owner()).toBeNull()
  })

  it('is whoever publishes it first, and nobody else publishes it then', async () => {
    await using scratch = await createScratch()
    await using registry = await open(scratch)
    const source = await scratch.write('a.onnx', 'graph')
    const publish = (
      id: string,
      tenant: string | null,
      options: Partial<AddModelOptions & Publisher> = {},
    ): Promise<AddedModel> => {
      const { models = null, ...rest } = options
      return registry.add({ actor, id, source, publisher: { tenant, models }, ...rest })
    }
    const forbidden = { code: 'MODEL_FORBIDDEN' }
    await publish('a', 'acme')
    expect((await registry.show('a')).tenant).toBe('acme')
    await expect(publish('a', 'globex')).rejects.toMatchObject({ ...forbidden, details: { model: 'a' } })
    await expect(publish('a', null)).rejects.toMatchObject(forbidden)
    await expect(publish('a', 'acme', { tenant: null })).rejects.toMatchObject(forbidden)
    await expect(publish('a', 'acme', { tenant: 'globex' })).rejects.toMatchObject(forbidden)
    await expect(publish('b', 'acme', { models: ['a'] })).rejects.toMatchObject(forbidden)
    await publish('c', null)
    await expect(publish('c', 'acme')).rejects.toMatchObject(forbidden)
    expect(await publish('a', 'acme', { models: ['a'], fields: { a: 1 } })).toMatchObject({ version: 2 })
    expect((await registry.list()).map(({ id, tenant }) => [id, tenant])).toEqual([
      ['a', 'acme'],
      ['c', null],
    ])
    expect(await scratch.list('models/artifacts')).toHaveLength(1)
    expect(await scratch.list('models/staging')).toEqual([])
  })

  it.each([
    { tenant: '' },
    { tenant: 'a\nb' },
    { publisher: { tenant: '', models: null } },
    { publisher: { models: null } as never },
    { fields: ['a'] as never },
    { actor: '' },
  ])('and whoever adds it are named within bounds, unlike %j', async (options) => {
    await using scratch = await createScratch()
    await using registry = await open(scratch)
    const source = await scratch.write('a.onnx', 'graph')
    const added = registry.add({ actor, id: 'a', source, ...options })
    await expect(added).rejects.toMatchObject({ code: 'INPUT_INVALID' })
    expect(await registry.list()).toEqual([])
  })
})

describe('the audit of models that are added', () => {
  it('tells of a new version, owner or origin, and of nothing that stays', async () => {
    await using scratch = await createScratch()
    await using registry = await open(scratch)
    const source = await scratch.write('a.onnx', 'graph')
    const model = { id: 'a', source }
    await registry.add({ ...model, actor: 'folder', folderFingerprint: 'one' })
    await registry.add({ ...model, actor: 'folder', folderFingerprint: 'two' })
    await registry.add({ ...model, actor: 'ann' })
    await registry.add({ ...model, actor: 'ann' })
    await registry.add({ ...model, actor: 'folder', folderFingerprint: 'three' })
    await registry.add({ ...model, actor: 'bob', tenant: 'acme' })
    await registry.add({ ...model, actor: 'bob', tenant: 'acme' })
    await registry.add({ ...model, actor: 'bob', fields: { a: 1 } })
    const entries = (await registry.listAudit({ limit: 100 })).toReversed()
    expect(
      entries.map(({ actor, target, details }) => [actor, target, details.tenant, details.fromFolder]),
    ).toEqual([
      ['folder', 'a@1', null, true],
      ['ann', 'a@1', null, false],
      ['bob', 'a@1', 'acme', false],
      ['bob', 'a@2', 'acme', false],
    ])
  })
})
