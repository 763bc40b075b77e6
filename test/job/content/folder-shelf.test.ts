import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createFolderShelf } from '../../../runtime/job/content/folder-shelf.ts'
import { describeContentShelf, listed, patternOf } from '../../contract/content-shelf.ts'
import { createScratch } from '../../model/scratch.ts'
import { requireOrSkip } from '../../support/requirement.ts'
import { absenceOfTmpfs, mountDisk } from '../../support/small-disk.ts'

const source = new URL('../../../runtime/job/content/folder-shelf.ts', import.meta.url).pathname

describe('a shelf in a folder', () => {
  describeContentShelf(async (scratch) => ({
    shelf: createFolderShelf(scratch.path('jobs')),
    code: `const { createFolderShelf } = await import(${JSON.stringify(source)})
      return createFolderShelf(${JSON.stringify(scratch.path('jobs'))})`,
    async [Symbol.asyncDispose]() {},
  }))

  it('keeps folders and files to their owner, and leaves no empty folder', async () => {
    await using scratch = await createScratch()
    const shelf = createFolderShelf(scratch.path('jobs'))
    const path = await scratch.write('open', 'for all')
    await chmod(path, 0o666)
    await shelf.put({ path }, 'job/files/linked')
    await shelf.put({ bytes: patternOf(3) }, 'job/input')
    const modes = ['jobs', 'jobs/job', 'jobs/job/files', 'jobs/job/input', 'jobs/job/files/linked']
    const seen = await Promise.all(modes.map(async (name) => (await stat(scratch.path(name))).mode & 0o777))
    expect(seen).toEqual([0o700, 0o700, 0o700, 0o600, 0o600])
    await shelf.remove(['job/files/linked'])
    expect(await scratch.list('jobs')).toEqual(['job/', 'job/input'])
    await shelf.remove(['job/input'])
    expect(await scratch.list('jobs')).toEqual([])
  })

  it('puts while the last content of the same folder is removed', async () => {
    await using scratch = await createScratch()
    const shelf = createFolderShelf(scratch.path('jobs'))
    for (let round = 0; round < 50; round += 1) {
      await shelf.put({ bytes: patternOf(1) }, 'a/b/old')
      await Promise.all([shelf.remove(['a/b/old']), shelf.put({ bytes: patternOf(2) }, 'a/b/new')])
      expect(await shelf.read('a/b/new', 0, 9)).toEqual(patternOf(2))
      await shelf.remove(['a/b/new'])
    }
  })

  it('follows no link that stands in the place of a file', async () => {
    await using scratch = await createScratch()
    const shelf = createFolderShelf(scratch.path('jobs'))
    await scratch.write('secret', 'secret')
    await symlink(scratch.path('secret'), scratch.path('link'))
    await expect(shelf.put({ path: scratch.path('link') }, 'job/file')).rejects.toThrow(TypeError)
    expect(await listed(shelf, -1_000)).toEqual([])
  })

  it('lists nothing that is no content, and what was linked to late as young', async () => {
    await using scratch = await createScratch()
    const shelf = createFolderShelf(scratch.path('jobs'))
    expect(await listed(shelf, 0)).toEqual([])
    await mkdir(scratch.path('jobs/job'), { recursive: true })
    await writeFile(scratch.path('jobs/job/note.txt'), 'of the operator')
    const path = await scratch.write('old', 'bytes')
    Bun.spawnSync(['touch', '-d', '2020-01-01', path])
    await shelf.put({ path }, 'job/file')
    expect(await listed(shelf, 3_600_000)).toEqual([])
    expect(await listed(shelf, -1_000)).toEqual(['job/file'])
  })
})

describe.runIf(requireOrSkip('tmpfs', await absenceOfTmpfs()))('a shelf on a disk that is full', () => {
  it('says so, leaves nothing half written, and goes on when there is room', async () => {
    await using scratch = await createScratch()
    const disk = scratch.path('disk')
    await mkdir(disk)
    using _disk = mountDisk(disk, 4_194_304)
    const shelf = createFolderShelf(join(disk, 'jobs'))
    const full = { code: 'STORAGE_FULL' }
    const large = patternOf(5_000_000)
    const path = await scratch.write('large', large)
    await expect(shelf.put({ bytes: large }, 'job/a')).rejects.toMatchObject(full)
    await expect(shelf.put({ path }, 'job/a')).rejects.toMatchObject(full)
    expect(await readdir(join(disk, 'jobs', 'job'))).toEqual([])
    await shelf.put({ bytes: patternOf(3_000_000) }, 'job/b')
    await expect(shelf.fetch('job/b', join(disk, 'copy'))).rejects.toMatchObject(full)
    expect(await readdir(disk)).toEqual(['jobs'])
    await shelf.put({ path: await scratch.write('small', 'small') }, 'job/c')
    await shelf.fetch('job/c', join(disk, 'copy'))
    expect(await readFile(join(disk, 'copy'), 'utf8')).toBe('small')
    await shelf.remove(['job/b'])
    await shelf.put({ bytes: patternOf(3_000_000) }, 'job/a')
  })
})
