import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { makeWorkFolder } from '../../../runtime/job/crew/work-folder.ts'

let directory: string
beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'isoplex-work-')), 'jobs/work')
})
afterEach(() => rm(join(directory, '../..'), { recursive: true, force: true }))

it('makes a folder that is its owner alone', async () => {
  const own = await makeWorkFolder(directory)
  expect((await stat(own)).mode & 0o777).toBe(0o700)
  expect(await readdir(directory)).toEqual([basename(own)])
})

it('removes what processes have left that are dead, and nobody else’s', async () => {
  const alive = await makeWorkFolder(directory)
  const dead = Bun.spawn(['true'])
  await dead.exited
  const left = join(directory, [dead.pid, '1', crypto.randomUUID(), hostname()].join('.'))
  const foreign = join(directory, [dead.pid, '1', crypto.randomUUID(), 'another.machine'].join('.'))
  for (const folder of [left, foreign]) {
    await mkdir(folder)
    await writeFile(join(folder, 'scratch'), 'x')
  }
  const own = await makeWorkFolder(directory)
  expect((await readdir(directory)).toSorted()).toEqual(
    [alive, foreign, own].map((path) => basename(path)).toSorted(),
  )
})
