import { readdir } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { createScratch, type Scratch } from './scratch.ts'
import {
  actor,
  addVersions,
  findVersions,
  openScratchRegistry as open,
  question,
} from './scratch-registry.ts'

const artifacts = async (scratch: Scratch): Promise<number> =>
  (await readdir(scratch.path('models/artifacts'))).length

describe('a removal', () => {
  it('takes the artifacts with it that no other model names', async () => {
    await using scratch = await createScratch()
    await using registry = await open(scratch)
    const shared = await scratch.write('shared.onnx', 'shared')
    const own = await scratch.write('own.onnx', 'own')
    await registry.add({ actor, id: 'a', source: shared })
    await registry.add({ actor, id: 'a', source: own })
    await registry.add({ actor, id: 'b', source: shared })
    expect(await artifacts(scratch)).toBe(2)
    await registry.remove({ actor, id: 'a', version: null })
    expect(await artifacts(scratch)).toBe(1)
    await expect(registry.find(question('a'))).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
      details: { model: 'a' },
    })
    expect(await findVersions(registry, 'b')).toEqual([['1', 1]])
  })

  it('may be of one version, and the one before is served again', async () => {
    await using scratch = await createScratch()
    await using registry = await open(scratch)
    for (const text of ['one', 'two'])
      await registry.add({ actor, id: 'a', source: await scratch.write('a.onnx', text) })
    await registry.remove({ actor, id: 'a', version: 2 })
    expect(await findVersions(registry, 'a')).toEqual([['1', 1]])
    await expect(registry.remove({ actor, id: 'a', version: 2 })).rejects.toMatchObject({
      details: { model: 'a@2' },
    })
    expect(await artifacts(scratch)).toBe(1)
  })

  it('gives no version number back, so that a key never means another model', async () => {
    await using scratch = await createScratch()
    await using registry = await open(scratch)
    const source = await scratch.write('a.onnx', 'graph')
    await registry.add({ actor, id: 'a', source })
    await registry.remove({ actor, id: 'a', version: null })
    expect(await registry.add({ actor, id: 'a', source })).toMatchObject({ version: 2, changed: true })
  })

  it.each([0, 1.5, '1' as never, undefined as never])('is of no version %j', async (version) => {
    await using scratch = await createScratch()
    await using registry = await open(scratch)
    await addVersions(registry, scratch, 'a')
    await expect(registry.remove({ actor, id: 'a', version })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      details: { issues: [{ path: '/version' }] },
    })
    expect(await findVersions(registry, 'a')).toEqual([['1', 1]])
  })

  it('is not of a version alone that an alias names', async () => {
    await using scratch = await createScratch()
    await using registry = await open(scratch)
    await addVersions(registry, scratch, 'a', 2)
    const targets = [{ version: 1, weight: 1 }]
    for (const alias of ['prod', 'stable']) await registry.setAlias({ actor, id: 'a', alias, targets })
    await expect(registry.remove({ actor, id: 'a', version: 1 })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('a@prod, a@stable'),
      details: { issues: [{ path: '/version' }] },
    })
    await registry.remove({ actor, id: 'a', version: 2 })
    await registry.remove({ actor, id: 'a', version: null })
    await addVersions(registry, scratch, 'a', 1)
    expect((await registry.show('a')).aliases).toEqual([])
    await expect(registry.find(question('a@prod'))).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' })
  })
})
