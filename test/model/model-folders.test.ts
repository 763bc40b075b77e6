import { mkdir, readdir, rm, symlink } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { type ModelFolderChange, syncModelFolders } from '../../runtime/model/model-folders.ts'
import type { Registry } from '../../runtime/model/registry.ts'
import { buildArchive } from '../support/archive-builder.ts'
import { createScratch, type Scratch } from './scratch.ts'
import { actor, findVersions, openScratchRegistry, question } from './scratch-registry.ts'

interface Followed extends AsyncDisposable {
  readonly registry: Registry
  sync(): Promise<readonly ModelFolderChange[]>
}

async function follow(scratch: Scratch): Promise<Followed> {
  const registry = await openScratchRegistry(scratch)
  return {
    registry,
    sync: () => syncModelFolders(registry, scratch.path('_models')),
    [Symbol.asyncDispose]: () => registry.close(),
  }
}

const change = (
  id: string,
  what: ModelFolderChange['change'],
  version: number | null = null,
): ModelFolderChange => ({
  id,
  change: what,
  version,
  reason: null,
})

describe('model folders', () => {
  it('are registered by their names, and again only where the model has changed', async () => {
    await using scratch = await createScratch()
    await using followed = await follow(scratch)
    expect(await followed.sync()).toEqual([])
    await scratch.write('_models/digits/model.onnx', 'graph')
    await scratch.write('_models/digits/train.ts', 'code')
    await scratch.write('_models/speech/parts/encoder.onnx', 'graph')
    await scratch.write('_models/notes/readme.md', 'no model')
    await scratch.write('_models/.hidden/model.onnx', 'graph')
    await scratch.write('_models/MODELS.md', 'words')
    expect(await followed.sync()).toEqual([change('digits', 'added', 1), change('speech', 'added', 1)])
    expect(await followed.sync()).toEqual([])
    await scratch.write('_models/digits/train.ts', 'other code')
    await scratch.write('_models/speech/parts/encoder.onnx', 'graph')
    expect(await followed.sync()).toEqual([])
    await scratch.write('_models/digits/model.onnx', 'other')
    expect(await followed.sync()).toEqual([change('digits', 'updated', 2)])
    await scratch.write('_models/digits/model.onnx', 'graph')
    expect(await followed.sync()).toEqual([change('digits', 'updated', 3)])
    expect(await findVersions(followed.registry, 'digits')).toEqual([['3', 1]])
  })

  it('give their models the fields of their isoplex.json, and a new version when these change', async () => {
    await using scratch = await createScratch()
    await using followed = await follow(scratch)
    await scratch.write('_models/digits/model.onnx', 'graph')
    await followed.sync()
    await scratch.write('_models/digits/isoplex.json', '{ "browser": true }')
    expect(await followed.sync()).toEqual([change('digits', 'updated', 2)])
    expect(await followed.sync()).toEqual([])
    const { versions } = await followed.registry.show('digits')
    expect(versions.map(({ fields }) => fields)).toEqual([{ browser: true }, {}])
    expect(versions[0]?.digest).toBe(versions[1]?.digest)
    await scratch.write('_models/digits/isoplex.json', '{ "browser":')
    expect(await followed.sync()).toEqual([
      { ...change('digits', 'failed'), reason: expect.stringContaining('must be a JSON object') },
    ])
    await rm(scratch.path('_models/digits/isoplex.json'))
    expect(await followed.sync()).toEqual([change('digits', 'updated', 3)])
  })

  it('keep the newest two versions and their artifacts', async () => {
    await using scratch = await createScratch()
    await using followed = await follow(scratch)
    for (const text of ['a', 'b', 'c', 'd']) {
      await scratch.write('_models/digits/model.onnx', text)
      await followed.sync()
    }
    const { versions } = await followed.registry.show('digits')
    expect(versions.map(({ version }) => version)).toEqual([4, 3])
    expect((await readdir(scratch.path('models/artifacts'))).toSorted()).toEqual(
      versions.map(({ digest }) => digest).toSorted(),
    )
  })

  it('take their models with them when they go', async () => {
    await using scratch = await createScratch()
    await using followed = await follow(scratch)
    for (const id of ['a', 'b', 'c']) await scratch.write(`_models/${id}/model.onnx`, id)
    await followed.sync()
    await rm(scratch.path('_models/a'), { recursive: true })
    await rm(scratch.path('_models/b/model.onnx'))
    expect(await followed.sync()).toEqual([change('a', 'removed'), change('b', 'removed')])
    await rm(scratch.path('_models'), { recursive: true })
    expect(await followed.sync()).toEqual([change('c', 'removed')])
    expect(await readdir(scratch.path('models/artifacts'))).toEqual([])
  })

  it('give way to models that were added by hand', async () => {
    await using scratch = await createScratch()
    await using followed = await follow(scratch)
    await scratch.write('_models/digits/model.onnx', 'of the folder')
    await followed.sync()
    const source = await scratch.write('mine.onnx', 'by hand')
    await followed.registry.add({ actor, id: 'digits', source })
    const skipped = { ...change('digits', 'skipped'), reason: expect.stringContaining('added by hand') }
    expect(await followed.sync()).toEqual([skipped])
    await rm(scratch.path('_models'), { recursive: true })
    expect(await followed.sync()).toEqual([])
    expect(await findVersions(followed.registry, 'digits')).toEqual([['2', 1]])
  })

  it('come back once the model that was added by hand is removed', async () => {
    await using scratch = await createScratch()
    await using followed = await follow(scratch)
    await followed.registry.add({ actor, id: 'digits', source: await scratch.write('mine.onnx', 'by hand') })
    await scratch.write('_models/digits/model.onnx', 'of the folder')
    await followed.sync()
    await followed.registry.remove({ actor, id: 'digits', version: null })
    expect(await followed.sync()).toEqual([change('digits', 'added', 2)])
  })

  it('change nothing of a model that is added by hand meanwhile', async () => {
    await using scratch = await createScratch()
    await using followed = await follow(scratch)
    const byHand = await followed.registry.add({
      actor,
      id: 'a',
      source: await scratch.write('a.onnx', 'by hand'),
    })
    const source = await scratch.write('b.onnx', 'of a folder')
    const added = await followed.registry.add({ actor, id: 'a', source, folderFingerprint: 'any' })
    expect(added).toEqual({ ...byHand, changed: false })
    expect(await readdir(scratch.path('models/artifacts'))).toEqual([byHand.digest])
  })

  it('tell the audit what they change, and nothing else', async () => {
    await using scratch = await createScratch()
    await using followed = await follow(scratch)
    await scratch.write('_models/digits/model.onnx', 'graph')
    await followed.sync()
    await followed.sync()
    await scratch.write('_models/digits/model.onnx', 'graph')
    await followed.sync()
    await rm(scratch.path('_models/digits'), { recursive: true })
    await followed.sync()
    expect(await followed.registry.listAudit({ limit: 9 })).toMatchObject([
      { actor: 'folder', action: 'model.remove', target: 'digits' },
      { actor: 'folder', action: 'model.add', target: 'digits@1', details: { fromFolder: true } },
    ])
  })

  it('keep the versions that an alias names', async () => {
    await using scratch = await createScratch()
    await using followed = await follow(scratch)
    for (const text of ['a', 'b', 'c', 'd']) {
      await scratch.write('_models/digits/model.onnx', text)
      await followed.sync()
      const targets = [{ version: 1, weight: 1 }]
      await followed.registry.setAlias({ actor, id: 'digits', alias: 'prod', targets })
    }
    const { versions } = await followed.registry.show('digits')
    expect(versions.map(({ version }) => version)).toEqual([4, 3, 1])
  })

  it('are not taken for gone where their model was added by hand meanwhile', async () => {
    await using scratch = await createScratch()
    await using followed = await follow(scratch)
    await scratch.write('_models/digits/model.onnx', 'of the folder')
    await followed.sync()
    await followed.registry.add({ actor, id: 'digits', source: await scratch.write('mine.onnx', 'by hand') })
    expect(await followed.registry.removeFolderModel({ actor, id: 'digits' })).toBe(false)
    expect(await findVersions(followed.registry, 'digits')).toEqual([['2', 1]])
  })

  it('cannot be removed by hand, since they would come back', async () => {
    await using scratch = await createScratch()
    await using followed = await follow(scratch)
    await scratch.write('_models/digits/model.onnx', 'graph')
    await followed.sync()
    for (const version of [null, 1]) {
      await expect(followed.registry.remove({ actor, id: 'digits', version })).rejects.toMatchObject({
        code: 'INPUT_INVALID',
        details: { issues: [{ path: '/id' }] },
      })
    }
  })

  it('with nothing but one archive stand for what is in it', async () => {
    await using scratch = await createScratch()
    await using followed = await follow(scratch)
    const archive = buildArchive([{ name: 'model.onnx', content: 'graph' }])
    await scratch.write('_models/digits/digits-v3.zip', archive)
    await scratch.write('_models/digits/isoplex.json', '{ "browser": true }')
    await scratch.write('_models/digits/readme.md', 'words')
    await followed.sync()
    const { versions } = await followed.registry.find(question('digits'))
    const digest = new Bun.CryptoHasher('sha256').update(archive).digest('hex')
    expect(versions).toMatchObject([{ record: { artifact: { digest }, fields: { browser: true } } }])
  })

  it('that cannot be taken are told of, and what was registered before stays', async () => {
    await using scratch = await createScratch()
    await using followed = await follow(scratch)
    await scratch.write('_models/digits/model.onnx', 'graph')
    await followed.sync()
    await symlink('/etc/passwd', scratch.path('_models/digits/weights.bin'))
    await scratch.write('_models/not an id/model.onnx', 'graph')
    await scratch.write('_models/cut/model.zip', buildArchive([{ name: 'a' }]).subarray(0, 40))
    await mkdir(scratch.path('_models/good'))
    await scratch.write('_models/good/model.onnx', 'graph')
    expect(await followed.sync()).toEqual([
      { ...change('cut', 'failed'), reason: expect.stringContaining('cut short') },
      { ...change('digits', 'failed'), reason: expect.stringContaining('is a link') },
      change('good', 'added', 1),
      { ...change('not an id', 'failed'), reason: expect.stringContaining('is no model id') },
    ])
    expect(await findVersions(followed.registry, 'digits')).toEqual([['1', 1]])
  })
})
