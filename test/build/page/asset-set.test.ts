import { rm } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { hashText } from '../../../runtime/build/content-hash.ts'
import {
  type AssetRecord,
  assetOf,
  assetRecordName,
  findAssets,
} from '../../../runtime/build/page/asset-set.ts'
import { createScratch } from '../../model/scratch.ts'

const name = `worker-${hashText('worker')}.js`

describe('findAssets', () => {
  it('finds a set while its conditions, its sources and its files are as they were', async () => {
    await using scratch = await createScratch()
    const directory = scratch.directory
    const source = await scratch.write('worker.ts', 'source')
    await scratch.write(name, 'worker')
    const sources = { [source]: hashText('source') }
    const record: AssetRecord = { key: 'k', names: { worker: name }, onnxVersion: '', files: [name], sources }
    await scratch.write(assetRecordName, JSON.stringify(record))
    expect(await findAssets(directory, 'k')).toEqual({
      directory,
      names: { worker: name },
      onnxVersion: '',
      files: [name],
    })
    expect(await findAssets(directory, 'other')).toBeNull()
    await scratch.write('worker.ts', 'changed')
    expect(await findAssets(directory, 'k')).toBeNull()
    await scratch.write('worker.ts', 'source')
    await scratch.write(name, 'work')
    expect(await findAssets(directory, 'k')).toBeNull()
    await scratch.write(name, 'worker')
    expect(await findAssets(directory, 'k')).not.toBeNull()
    await rm(source)
    expect(await findAssets(directory, 'k')).toBeNull()
  })

  it.each(['', '{', 'null', '[]', '{}'])('finds none where the record is %j', async (text) => {
    await using scratch = await createScratch()
    await scratch.write(assetRecordName, text)
    expect(await findAssets(scratch.directory, 'k')).toBeNull()
  })
})

describe('assetOf', () => {
  it('gives the name of a file, and knows when there is none', () => {
    expect(assetOf({ names: { worker: name } }, 'worker')).toBe(name)
    expect(() => assetOf({ names: {} }, 'client')).toThrow('The files for pages have no client.')
  })
})
