import { describe, expect, it } from 'vitest'
import type { ArtifactFolder } from '../../runtime/page/artifact.ts'
import { ModelFolders } from '../../runtime/page/model-folders.ts'

const folder: ArtifactFolder = {
  digest: 'abc',
  bytes: 3,
  names: ['model.onnx', 'weights.bin', 'parts/one.bin', 'parts/two.bin'],
  read: async (name) => new TextEncoder().encode(name),
}

const textOf = async (bytes: Promise<Uint8Array>): Promise<string> => new TextDecoder().decode(await bytes)

describe('the folder of an artifact', () => {
  it('has the files of the artifact by paths', async () => {
    const folders = new ModelFolders()
    const path = folders.hold(folder)
    expect(path).toBe('/models/abc')
    expect(await textOf(folders.read(`${path}/parts/one.bin`))).toBe('parts/one.bin')
  })

  it('tells what lies beside a file and below', async () => {
    const folders = new ModelFolders()
    const path = folders.hold(folder)
    expect(await folders.siblings(`${path}/model.onnx`)).toEqual([
      'weights.bin',
      'parts/one.bin',
      'parts/two.bin',
    ])
    expect(await folders.siblings(`${path}/parts/one.bin`)).toEqual(['two.bin'])
  })

  it('is there until it was released as often as it was held', async () => {
    const folders = new ModelFolders()
    const path = folders.hold(folder)
    folders.hold(folder)
    folders.release(folder)
    expect(await textOf(folders.read(`${path}/model.onnx`))).toBe('model.onnx')
    folders.release(folder)
    await expect(folders.read(`${path}/model.onnx`)).rejects.toMatchObject({ code: 'ARTIFACT_BROKEN' })
    folders.release(folder)
  })

  it.each([
    '/models/abc/other.onnx',
    '/models/abc',
    '/models/abc/../abc/model.onnx',
    'model.onnx',
    '',
    '/etc/passwd',
  ])('has no file at %j', async (location) => {
    const folders = new ModelFolders()
    folders.hold(folder)
    await expect(folders.read(location)).rejects.toMatchObject({ code: 'ARTIFACT_BROKEN' })
    await expect(folders.siblings(location)).rejects.toMatchObject({ code: 'ARTIFACT_BROKEN' })
  })
})
