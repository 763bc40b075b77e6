import { mkdir, symlink } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { syncModelFolders } from '../../runtime/model/model-folders.ts'
import { findPackageModel } from '../../runtime/model/package-model.ts'
import { createScratch } from './scratch.ts'
import { actor, openScratchRegistry } from './scratch-registry.ts'

describe('a model of an installed package', () => {
  it('is found in the nearest node_modules that has it', async () => {
    await using scratch = await createScratch()
    const far = await scratch.write('node_modules/@maker/models/assets/a.onnx', 'far')
    const near = await scratch.write('project/node_modules/models/a.onnx', 'near')
    await scratch.write('project/node_modules/@maker/models/package.json', '{}')
    const folder = scratch.path('project/functions/_models/a')
    await mkdir(folder, { recursive: true })
    expect(await findPackageModel(folder, 'npm:@maker/models/assets/a.onnx')).toMatchObject({ path: far })
    expect(await findPackageModel(folder, 'npm:models/a.onnx')).toMatchObject({ path: near, sizeBytes: 4 })
  })

  it.each([
    5,
    '',
    'models/a.onnx',
    'npm:models',
    'npm:models/',
    'npm:../a.onnx',
    'npm:models/../../a.onnx',
    'npm:models/./a.onnx',
    'npm:models//a.onnx',
    'npm:models\\a.onnx',
    'npm:/etc/hostname',
    'npm:.bin/a',
    'npm:models/a\u0000.onnx',
  ])('is refused under the name %j', async (from) => {
    await using scratch = await createScratch()
    await scratch.write('node_modules/models/a.onnx', 'graph')
    await scratch.write('node_modules/a.onnx', 'graph')
    await scratch.write('a.onnx', 'graph')
    await expect(findPackageModel(scratch.directory, from)).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      details: {
        issues: [{ path: '/isoplex.json/from', message: expect.stringMatching(/^must name a file/) }],
      },
    })
  })

  it('is refused where the package is not installed, lacks the file, or has a link or a folder there', async () => {
    await using scratch = await createScratch()
    const find = (from: string) => findPackageModel(scratch.directory, from)
    await expect(find('npm:models/a.onnx')).rejects.toThrow(/is not installed here or lacks it/)
    await scratch.write('node_modules/models/folder/b.onnx', 'graph')
    await symlink('/etc/hostname', scratch.path('node_modules/models/link.onnx'))
    await expect(find('npm:models/a.onnx')).rejects.toMatchObject({ code: 'INPUT_INVALID' })
    await expect(find('npm:models/link.onnx')).rejects.toMatchObject({ code: 'ARTIFACT_BROKEN' })
    await expect(find('npm:models/folder')).rejects.toMatchObject({ code: 'ARTIFACT_BROKEN' })
  })

  it('is registered as its folder, and again when the package has another', async () => {
    await using scratch = await createScratch()
    await using registry = await openScratchRegistry(scratch)
    const sync = () => syncModelFolders(registry, scratch.path('_models'))
    await scratch.write('_models/line/isoplex.json', '{ "browser": true, "from": "npm:models/a.onnx" }')
    await scratch.write('_models/line/README.md', 'words')
    expect(await sync()).toMatchObject([{ id: 'line', change: 'failed' }])
    const file = await scratch.write('node_modules/models/a.onnx', 'graph')
    expect(await sync()).toMatchObject([{ id: 'line', change: 'added', version: 1 }])
    expect(await sync()).toEqual([])
    const { digest } = await registry.add({ actor, id: 'same', source: file })
    const { versions } = await registry.show('line')
    expect(versions).toMatchObject([{ digest, fields: { browser: true } }])
    expect(versions[0]?.fields).not.toHaveProperty('from')
    await scratch.write('node_modules/models/a.onnx', 'another graph')
    expect(await sync()).toMatchObject([{ id: 'line', change: 'updated', version: 2 }])
  })

  it('is what a folder that is added by hand stands for', async () => {
    await using scratch = await createScratch()
    await using registry = await openScratchRegistry(scratch)
    const file = await scratch.write('node_modules/models/a.onnx', 'graph')
    await scratch.write('line/isoplex.json', '{ "from": "npm:models/a.onnx" }')
    const byFolder = await registry.add({ actor, id: 'folder', source: scratch.path('line') })
    const byFile = await registry.add({ actor, id: 'file', source: file })
    expect(byFolder.digest).toBe(byFile.digest)
  })
})
