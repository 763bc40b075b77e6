import { describe, expect, it } from 'vitest'
import type { Registry } from '../../runtime/model/registry.ts'
import { createScratch, type Scratch } from './scratch.ts'
import { actor, addVersions, findVersions, openScratchRegistry } from './scratch-registry.ts'

const one = (version: number) => [{ version, weight: 1 }]

async function openWithVersions(scratch: Scratch): Promise<Registry & AsyncDisposable> {
  const registry = await openScratchRegistry(scratch)
  await addVersions(registry, scratch, 'digits', 3)
  return registry
}

describe('an alias', () => {
  it('means what it was set to last, and is shown with its model', async () => {
    await using scratch = await createScratch()
    await using registry = await openWithVersions(scratch)
    const both = [
      { version: 1, weight: 90 },
      { version: 3, weight: 10 },
    ]
    const set = await registry.setAlias({ actor, id: 'digits', alias: 'prod', targets: one(2) })
    expect(set).toEqual({ alias: 'prod', targets: one(2) })
    await registry.setAlias({ actor, id: 'digits', alias: 'beta', targets: one(3) })
    await registry.setAlias({ actor, id: 'digits', alias: 'prod', targets: both })
    const aliases = [
      { alias: 'beta', targets: one(3) },
      { alias: 'prod', targets: both.toReversed() },
    ]
    expect(await registry.show('digits')).toMatchObject({ aliases })
    expect(await registry.list()).toMatchObject([{ aliases }])
    await registry.removeAlias({ actor, id: 'digits', alias: 'prod' })
    expect((await registry.show('digits')).aliases).toEqual([{ alias: 'beta', targets: one(3) }])
  })

  it('belongs to one model', async () => {
    await using scratch = await createScratch()
    await using registry = await openWithVersions(scratch)
    await addVersions(registry, scratch, 'speech', 2)
    await registry.setAlias({ actor, id: 'digits', alias: 'prod', targets: one(1) })
    await registry.setAlias({ actor, id: 'speech', alias: 'prod', targets: one(2) })
    await registry.remove({ actor, id: 'speech', version: null })
    expect(await findVersions(registry, 'digits@prod')).toEqual([['1', 1]])
  })

  it.each([
    ['speech', 'prod', one(1), 'speech'],
    ['no id', 'prod', one(1), 'no id'],
    ['digits', 'prod', one(4), 'digits@4'],
    ['digits', 'prod', [...one(1), ...one(9)], 'digits@9'],
  ])('of %s is not set where %s is not there', async (id, alias, targets, model) => {
    await using scratch = await createScratch()
    await using registry = await openWithVersions(scratch)
    await expect(registry.setAlias({ actor, id, alias, targets })).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
      details: { model },
    })
    expect((await registry.show('digits')).aliases).toEqual([])
  })

  it.each(['', '3', '3rd', '_a', 'a b', 'a@b', 'é', 'a'.repeat(65), `a'--`])(
    'is not called %j',
    async (alias) => {
      await using scratch = await createScratch()
      await using registry = await openWithVersions(scratch)
      const invalid = { code: 'INPUT_INVALID', details: { issues: [{ path: '/alias' }] } }
      const set = registry.setAlias({ actor, id: 'digits', alias, targets: one(1) })
      await expect(set).rejects.toMatchObject(invalid)
      await expect(registry.removeAlias({ actor, id: 'digits', alias })).rejects.toMatchObject(invalid)
    },
  )

  it('that is not there cannot be removed', async () => {
    await using scratch = await createScratch()
    await using registry = await openWithVersions(scratch)
    await expect(registry.removeAlias({ actor, id: 'digits', alias: 'prod' })).rejects.toMatchObject({
      code: 'ENTRY_NOT_FOUND',
      details: { entry: 'digits@prod' },
    })
    await expect(registry.removeAlias({ actor, id: 'speech', alias: 'prod' })).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
    })
  })

  it('leaves a line in the audit when it changes, with what it meant before', async () => {
    await using scratch = await createScratch()
    await using registry = await openWithVersions(scratch)
    for (const version of [1, 1, 2]) {
      await registry.setAlias({ actor: 'ann', id: 'digits', alias: 'prod', targets: one(version) })
    }
    await registry.removeAlias({ actor: 'bob', id: 'digits', alias: 'prod' })
    const target = 'digits@prod'
    expect(await registry.listAudit({ limit: 3 })).toMatchObject([
      { actor: 'bob', action: 'alias.remove', target, details: { former: one(2) } },
      { actor: 'ann', action: 'alias.set', target, details: { former: one(1), targets: one(2) } },
      { actor: 'ann', action: 'alias.set', target, details: { former: [], targets: one(1) } },
    ])
    expect(await registry.listAudit({ limit: 9 })).toHaveLength(6)
  })
})
