import { readdirSync, readFileSync } from 'node:fs'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { hashText } from '../../../runtime/build/content-hash.ts'
import { compressFiles, openAssets } from '../../../runtime/build/page/asset-process.ts'
import { fileNameOf } from '../../../runtime/build/page/file-name.ts'
import { withFileLock } from '../../../runtime/model/file-lock.ts'
import { createScratch } from '../../model/scratch.ts'
import { until } from '../../support/server.ts'

const environment = { PATH: process.env.PATH ?? '' }

/** Kills the process for pages that this one has started, as soon as it is there, and gives its id. */
async function killPageBuilder(last?: string): Promise<string> {
  const ending = `page-builder.ts\0${process.pid}\0`
  const find = () => readdirSync('/proc').find((id) => id !== last && commandLineOf(id).endsWith(ending))
  await until(() => find() !== undefined)
  const id = find() ?? ''
  process.kill(Number(id), 'SIGKILL')
  return id
}

function commandLineOf(id: string): string {
  try {
    return readFileSync(`/proc/${id}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

describe('openAssets', () => {
  it('ends its process when it is not wanted any more', async () => {
    await using scratch = await createScratch()
    const opening = openAssets(
      { set: 'page', mode: 'production', pageDirectory: join(scratch.directory, 'other') },
      { environment, signal: AbortSignal.abort() },
    )
    await expect(opening).rejects.toMatchObject({ code: 'CANCELLED' })
  })

  it.runIf(process.platform === 'linux')('begins once more where its process is killed', async () => {
    await using scratch = await createScratch()
    const opening = openAssets(
      { set: 'playground', mode: 'development', pageDirectory: scratch.directory },
      { environment },
    )
    await killPageBuilder()
    const { directory, files } = await opening
    for (const name of files) expect((await stat(join(directory, name))).isFile()).toBe(true)
  })

  it.runIf(process.platform === 'linux')('gives up where its process is killed twice', async () => {
    await using scratch = await createScratch()
    const opening = openAssets(
      { set: 'playground', mode: 'development', pageDirectory: scratch.directory },
      { environment },
    )
    const failure = expect(opening).rejects.toMatchObject({ code: 'BUILD_FAILED' })
    const first = await killPageBuilder()
    await killPageBuilder(first)
    await failure
  })
})

describe('compressFiles', () => {
  it('leaves what lies compressed as it is, and mends what is broken', async () => {
    await using scratch = await createScratch()
    const text = 'text '.repeat(100_000)
    const source = await scratch.write(fileNameOf('a', hashText(text), 'js'), text)
    const [whole, broken] = ['gzip', 'br'].map((encoding) => `${source}.${encoding}`) as [string, string]
    const tasks = [
      { source, target: whole, encoding: 'gzip' },
      { source, target: broken, encoding: 'br' },
    ] as const
    await compressFiles({ tasks, environment })
    const { ino } = await stat(whole)
    const bytes = await readFile(broken)
    await writeFile(broken, bytes.subarray(0, -4))
    await compressFiles({ tasks, environment })
    expect((await stat(whole)).ino).toBe(ino)
    expect(await readFile(broken)).toEqual(bytes)
  })

  it('waits for others that work in the background, and holds up nobody else', async () => {
    await using scratch = await createScratch()
    const source = await scratch.write('a.js', 'text '.repeat(1_000))
    const turnsFile = join(scratch.directory, 'turns')
    const task = { source, target: `${source}.gz`, encoding: 'gzip' } as const
    const compressing = await withFileLock(turnsFile, async () => {
      const waiting = compressFiles({ tasks: [task], environment, turnsFile })
      await compressFiles({ tasks: [{ ...task, target: `${source}.other` }], environment })
      expect(await readdir(scratch.directory)).not.toContain('a.js.gz')
      return { waiting }
    })
    await compressing.waiting
    expect((await stat(task.target)).size).toBeLessThan(1_000)
  })

  it('says how far it is and ends at the whole', async () => {
    await using scratch = await createScratch()
    const source = await scratch.write('a.js', 'text '.repeat(100_000))
    const target = join(scratch.directory, 'a.js.br')
    const told: number[] = []
    await compressFiles({
      tasks: [{ source, target, encoding: 'br' }],
      environment,
      turnsFile: join(scratch.directory, 'turns'),
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
