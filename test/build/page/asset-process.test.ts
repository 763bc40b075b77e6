import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { compressFiles, openAssets } from '../../../runtime/build/page/asset-process.ts'
import { createScratch } from '../../model/scratch.ts'

const environment = { PATH: process.env.PATH ?? '' }

describe('openAssets', () => {
  it('ends its process when it is not wanted any more', async () => {
    await using scratch = await createScratch()
    const opening = openAssets(
      { set: 'page', mode: 'production', pageDirectory: join(scratch.directory, 'other') },
      { environment, signal: AbortSignal.abort() },
    )
    await expect(opening).rejects.toMatchObject({ code: 'CANCELLED' })
  })
})

describe('compressFiles', () => {
  it('says how far it is and ends at the whole', async () => {
    await using scratch = await createScratch()
    const source = await scratch.write('a.js', 'text '.repeat(100_000))
    const target = join(scratch.directory, 'a.js.br')
    const told: number[] = []
    await compressFiles({
      tasks: [{ source, target, encoding: 'br' }],
      environment,
      background: true,
      onProgress: ({ doneBytes, totalBytes }) => told.push(doneBytes / totalBytes),
    })
    expect(told.at(-1)).toBe(1)
    expect((await stat(target)).size).toBeLessThan(1_000)
  })

  it('fails with its reason hidden where a file is not there', async () => {
    await using scratch = await createScratch()
    const tasks = [
      { source: join(scratch.directory, 'none'), target: join(scratch.directory, 'x'), encoding: 'br' },
    ] as const
    await expect(compressFiles({ tasks, environment })).rejects.toMatchObject({ code: 'INTERNAL' })
  })
})
