import { readdir } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { buildArchive } from '../support/archive-builder.ts'
import { createScratch, type Scratch } from './scratch.ts'
import {
  actor,
  addVersions,
  bearer,
  findVersions,
  openScratchRegistry as open,
  question,
} from './scratch-registry.ts'

const artifacts = async (scratch: Scratch): Promise<number> =>
  (await readdir(scratch.path('models/artifacts'))).length

describe('the registry', () => {
  it('gives the version that was added last', async () => {
    await using scratch = await createScratch()
    await using registry = await open(scratch)
    const a = await scratch.write('a.onnx', 'graph a')
    const b = await scratch.write('b.onnx', 'graph b')
    const first = await registry.add({ actor, id: 'digits', source: a, fields: { labels: ['zero'] } })
    expect(first).toMatchObject({ id: 'digits', version: 1, sizeBytes: 7, changed: true })
    const second = await registry.add({ actor, id: 'digits', source: b })
    const { digest } = second
    const artifact = { digest, url: null, checksum: null, sizeBytes: 7, stamp: digest }
    const record = { id: 'digits', version: '2', artifact, fields: {} }
    expect(await registry.find(question('digits'))).toEqual({
      tenant: null,
      versions: [{ weight: 1, record }],
    })
    const again = await registry.add({ actor, id: 'digits', source: a, fields: { labels: ['zero'] } })
    expect(again).toEqual({ ...first, version: 3 })
    expect(await registry.find(question('digits'))).toMatchObject({
      versions: [{ record: { version: '3', fields: { labels: ['zero'] } } }],
    })
  })

  it('changes nothing when the newest version is added again', async () => {
    await using scratch = await createScratch()
    await using registry = await open(scratch)
    const source = await scratch.write('a.onnx', 'graph')
    const first = await registry.add({ actor, id: 'digits', source })
    expect(await registry.add({ actor, id: 'digits', source })).toEqual({ ...first, changed: false })
    expect(await registry.add({ actor, id: 'digits', source, fields: { a: 1 } })).toMatchObject({
      version: 2,
      changed: true,
    })
    expect((await registry.show('digits')).versions.map(({ version }) => version)).toEqual([2, 1])
    expect(await scratch.list('models/staging')).toEqual([])
  })

  it('lists models by id with their versions, newest first', async () => {
    await using scratch = await createScratch()
    await using registry = await open(scratch)
    expect(await registry.list()).toEqual([])
    const source = await scratch.write('a.onnx', 'graph')
    const beforeMs = Date.now()
    for (const id of ['b', 'a']) await registry.add({ actor, id, source })
    const models = await registry.list()
    expect(models.map(({ id }) => id)).toEqual(['a', 'b'])
    expect(models[0]).toEqual(await registry.show('a'))
    const [version] = models[0]?.versions ?? []
    expect(version).toMatchObject({ version: 1, sizeBytes: 5, fields: {} })
    expect(version?.addedAtMs).toBeGreaterThanOrEqual(beforeMs)
    expect(structuredClone(models)).toEqual(models)
  })

  it.each([
    '',
    '-a',
    '.a',
    '_a',
    'a/b',
    'a b',
    'a\n',
    'é',
    '../a',
    'a'.repeat(129),
    '\ud800',
    "a'; DROP TABLE models",
  ])('takes no model called %j, and has none', async (id) => {
    await using scratch = await createScratch()
    await using registry = await open(scratch)
    const source = await scratch.write('a.onnx', 'graph')
    await expect(registry.add({ actor, id, source })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      details: { issues: [{ path: '/id' }] },
    })
    for (const asked of [
      registry.find(question(id)),
      registry.show(id),
      registry.remove({ actor, id, version: null }),
    ]) {
      await expect(asked).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' })
    }
  })

  it('takes every id that fits, such as 128 characters', async () => {
    await using scratch = await createScratch()
    await using registry = await open(scratch)
    const source = await scratch.write('a.onnx', 'graph')
    for (const id of ['a', '0', 'a.b_c-D', 'a'.repeat(128)]) {
      expect(await registry.add({ actor, id, source })).toMatchObject({ id, version: 1 })
    }
  })

  it('adds nothing where the artifact is refused', async () => {
    await using scratch = await createScratch()
    await using registry = await open(scratch)
    const source = await scratch.write('evil.zip', buildArchive([{ name: '/evil' }]))
    await expect(registry.add({ actor, id: 'evil', source })).rejects.toMatchObject({
      code: 'ARTIFACT_BROKEN',
    })
    expect(await registry.list()).toEqual([])
    expect(await artifacts(scratch)).toBe(0)
  })

  it('removes what no other model names', async () => {
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

  it('removes one version, and the one before is served again', async () => {
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

  it('gives no version number twice, so that a key never means another model', async () => {
    await using scratch = await createScratch()
    await using registry = await open(scratch)
    const source = await scratch.write('a.onnx', 'graph')
    await registry.add({ actor, id: 'a', source })
    await registry.remove({ actor, id: 'a', version: null })
    expect(await registry.add({ actor, id: 'a', source })).toMatchObject({ version: 2, changed: true })
  })

  it('keeps what it has when it is opened again, also from two places at once', async () => {
    await using scratch = await createScratch()
    await using first = await open(scratch)
    await using second = await open(scratch)
    const sources = await Promise.all(
      [1, 2, 3, 4].map((name) => scratch.write(`${name}.onnx`, `graph ${name}`)),
    )
    const added = await Promise.all(
      sources.map((source, index) => (index % 2 ? first : second).add({ actor, id: 'a', source })),
    )
    expect(added.map(({ version }) => version).toSorted()).toEqual([1, 2, 3, 4])
    expect(await first.list()).toEqual(await second.list())
  })

  it('never names an artifact that is gone, while models that share it come and go', async () => {
    await using scratch = await createScratch()
    await using registry = await open(scratch)
    const source = await scratch.write('a.onnx', 'graph')
    const churn = async (id: string): Promise<void> => {
      for (let round = 0; round < 10; round += 1) {
        await registry.add({ actor, id, source })
        expect(await artifacts(scratch)).toBe(1)
        await registry.remove({ actor, id, version: null })
      }
    }
    await Promise.all(['a', 'b', 'c'].map(churn))
    expect(await artifacts(scratch)).toBe(0)
  })
})
