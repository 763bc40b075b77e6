import { chmod, mkdir, rename, utimes } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { fingerprintOf, listModelFiles } from '../../runtime/model/model-files.ts'
import { createScratch, type Scratch } from './scratch.ts'

const fingerprint = async (scratch: Scratch): Promise<string> =>
  fingerprintOf(await listModelFiles(scratch.path('model')))

describe('the files of a model folder', () => {
  it('come in the order of their names, without code, words and what is hidden', async () => {
    await using scratch = await createScratch()
    for (const name of [
      'b.onnx',
      'a/c.bin',
      'a.bin',
      'B.txt',
      'x.ts',
      'y.md',
      'Z.MD',
      '.env',
      '.git/a.onnx',
      'a/.x',
      'isoplex.json',
      'a/isoplex.json',
    ]) {
      await scratch.write(`model/${name}`, name)
    }
    await mkdir(scratch.path('model/empty'))
    const files = await listModelFiles(scratch.path('model'))
    expect(files.map(({ name }) => name)).toEqual(['B.txt', 'a.bin', 'a/c.bin', 'a/isoplex.json', 'b.onnx'])
    expect(files[2]).toMatchObject({ path: scratch.path('model/a/c.bin'), sizeBytes: 7 })
  })

  it('may not be special', async () => {
    await using scratch = await createScratch()
    await scratch.write('model/model.onnx', 'graph')
    expect(Bun.spawnSync(['mkfifo', scratch.path('model/pipe')]).success).toBe(true)
    await expect(listModelFiles(scratch.path('model'))).rejects.toMatchObject({
      code: 'ARTIFACT_BROKEN',
      details: { reason: 'special-file' },
    })
  })

  it('have a fingerprint that changes with any of them, even where size and time are as they were', async () => {
    await using scratch = await createScratch()
    const path = await scratch.write('model/model.onnx', 'graph')
    await scratch.write('model/weights.bin', 'weights')
    const seen = new Set([await fingerprint(scratch)])
    expect(await fingerprint(scratch)).toBe([...seen][0])
    const change = async (make: () => Promise<unknown>): Promise<void> => {
      await make()
      const now = await fingerprint(scratch)
      expect(seen).not.toContain(now)
      seen.add(now)
    }
    const time = new Date(1_000_000_000_000)
    await change(() => utimes(path, time, time))
    await change(async () => {
      await scratch.write('model/model.onnx', 'other')
      await utimes(path, time, time)
    })
    await change(() => rename(scratch.path('model/weights.bin'), scratch.path('model/moved.bin')))
    await change(() => chmod(path, 0o600))
  })
})
