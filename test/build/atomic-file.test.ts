import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { writeIfChanged } from '../../runtime/build/atomic-file.ts'

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'isoplex-atomic-'))
})

afterEach(() => rm(directory, { recursive: true }))

describe('writeIfChanged', () => {
  it('makes the folder, writes the text and leaves nothing else', async () => {
    await writeIfChanged(join(directory, 'deep/er/a.txt'), 'text')
    expect(await readFile(join(directory, 'deep/er/a.txt'), 'utf8')).toBe('text')
    expect(await readdir(join(directory, 'deep/er'))).toEqual(['a.txt'])
  })

  it('replaces another text by a new file, and leaves the same text alone', async () => {
    const path = join(directory, 'a.txt')
    await writeIfChanged(path, 'one')
    const first = await stat(path)
    await writeIfChanged(path, 'one')
    expect(await stat(path)).toMatchObject({ ino: first.ino, mtimeMs: first.mtimeMs })
    await writeIfChanged(path, 'two')
    expect(await readFile(path, 'utf8')).toBe('two')
    expect((await stat(path)).ino).not.toBe(first.ino)
  })

  it('leaves nothing half-written where the file cannot be put in place', async () => {
    await mkdir(join(directory, 'taken/by/a/folder'), { recursive: true })
    await expect(writeIfChanged(join(directory, 'taken'), 'text')).rejects.toThrow()
    expect(await readdir(directory)).toEqual(['taken'])
  })
})
