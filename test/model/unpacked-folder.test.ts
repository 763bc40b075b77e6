import { readFile, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { openArtifactStore } from '../../runtime/model/artifact-store.ts'
import { openStoreFolder } from '../../runtime/model/store-folder.ts'
import { adoptUnpacked, isUnpacked, sumOfFiles } from '../../runtime/model/unpacked-folder.ts'
import { createScratch, type Scratch } from './scratch.ts'

/** A store with one artifact in it. */
async function openStore(scratch: Scratch) {
  const directory = scratch.path('store')
  const store = await openArtifactStore({ directory })
  const { digest } = await store.put(await scratch.write('model.onnx', 'the model'))
  return { store, digest, folder: await openStoreFolder({ directory }) }
}

describe('an unpacked folder', () => {
  it('counts as long as the machine runs, and is made anew after that', async () => {
    await using scratch = await createScratch()
    const { store, digest, folder } = await openStore(scratch)
    expect(await isUnpacked(folder, digest)).toBe(false)
    const path = await store.unpack(digest)
    expect(await isUnpacked(folder, digest)).toBe(true)
    // As a power failure leaves it: the name is there, and the bytes are not.
    await writeFile(`${path}/model.onnx`, '')
    expect(await readFile(`${await store.unpack(digest)}/model.onnx`, 'utf8')).toBe('')
    await writeFile(folder.unpackedMark(digest), 'another start of the machine')
    expect(await isUnpacked(folder, digest)).toBe(false)
    expect(await readFile(`${await store.unpack(digest)}/model.onnx`, 'utf8')).toBe('the model')
    expect(await isUnpacked(folder, digest)).toBe(true)
  })

  it('without a mark does not count', async () => {
    await using scratch = await createScratch()
    const { digest, folder } = await openStore(scratch)
    await scratch.write(`store/unpacked/${digest}/model.onnx`, 'half of')
    expect(await isUnpacked(folder, digest)).toBe(false)
  })

  it('stays where it is when others put theirs in its place', async () => {
    await using scratch = await createScratch()
    const { digest, folder } = await openStore(scratch)
    const makeOne = (text: string): Promise<string> =>
      folder.staging.make(async (place) => {
        await Bun.write(`${place}/model.onnx`, text)
      })
    const made = await Promise.all(['one', 'two', 'three'].map(makeOne))
    await Promise.all(made.map((one) => adoptUnpacked(folder, digest, one)))
    const text = await readFile(`${folder.unpackedPath(digest)}/model.onnx`, 'utf8')
    await adoptUnpacked(folder, digest, await makeOne('four'))
    expect(await readFile(`${folder.unpackedPath(digest)}/model.onnx`, 'utf8')).toBe(text)
    expect(await scratch.list('store/staging')).toEqual([])
  })

  it('leaves no mark behind when its artifact goes', async () => {
    await using scratch = await createScratch()
    const { store, digest } = await openStore(scratch)
    await store.unpack(digest)
    await store.remove(digest)
    expect(await scratch.list('store/marks')).toEqual([])
    await scratch.write(`store/marks/${digest}`, 'left behind')
    await openArtifactStore({ directory: scratch.path('store') })
    expect(await scratch.list('store/marks')).toEqual([])
  })
})

it('the files of a folder are counted wherever they lie below it', async () => {
  await using scratch = await createScratch()
  for (const [name, text] of [
    ['model.onnx', 'graph'],
    ['data/weights.bin', 'weights'],
    ['data/more/labels.txt', ''],
  ] as const)
    await scratch.write(`artifact/${name}`, text)
  expect(await sumOfFiles(scratch.path('artifact'))).toBe('graphweights'.length)
})
