import { symlink } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { readFolderFields } from '../../runtime/model/folder-fields.ts'
import { createScratch } from './scratch.ts'
import { actor, openScratchRegistry } from './scratch-registry.ts'

describe('the fields of a model folder', () => {
  it('are what its isoplex.json says', async () => {
    await using scratch = await createScratch()
    await scratch.write('model/isoplex.json', '{ "browser": true, "labels": ["a"] }\n')
    expect(await readFolderFields(scratch.path('model'))).toMatchObject({
      fields: { browser: true, labels: ['a'] },
      file: { name: 'isoplex.json' },
    })
  })

  it('are none where there is no such file, or no folder', async () => {
    await using scratch = await createScratch()
    const file = await scratch.write('model/model.onnx', 'graph')
    for (const path of [scratch.path('model'), scratch.path('nowhere'), file, 's3://bucket/key']) {
      expect(await readFolderFields(path)).toEqual({ fields: {}, file: null, model: null })
    }
  })

  it.each([
    ['', 'nothing'],
    ['[]', 'a list'],
    ['null', 'null'],
    ['{', 'half an object'],
    [`{ "a": "${'a'.repeat(65_536)}" }`, 'more than anybody says'],
  ])('are refused where they are no object: %#', async (text) => {
    await using scratch = await createScratch()
    await scratch.write('model/isoplex.json', text)
    await expect(readFolderFields(scratch.path('model'))).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(/^"isoplex\.json" must be a JSON object/),
    })
  })

  it('are not read through a link', async () => {
    await using scratch = await createScratch()
    await scratch.write('model/model.onnx', 'graph')
    await symlink('/etc/hostname', scratch.path('model/isoplex.json'))
    await expect(readFolderFields(scratch.path('model'))).rejects.toMatchObject({
      code: 'ARTIFACT_BROKEN',
      details: { reason: 'link' },
    })
  })

  it('come with the folder that is added, less what is said otherwise, and are no part of it', async () => {
    await using scratch = await createScratch()
    await using registry = await openScratchRegistry(scratch)
    const source = scratch.path('model')
    await scratch.write('model/model.onnx', 'graph')
    const { digest } = await registry.add({ actor, id: 'bare', source })
    await scratch.write('model/isoplex.json', '{ "browser": true, "note": "of the folder" }')
    const added = await registry.add({ actor, id: 'said', source, fields: { note: 'by hand' } })
    expect(added.digest).toBe(digest)
    const { versions } = await registry.show('said')
    expect(versions[0]?.fields).toEqual({ browser: true, note: 'by hand' })
  })
})
