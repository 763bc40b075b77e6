import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { isRecord, readPackageFile } from '../../runtime/config/package-file.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'isoplex-package-'))
})
afterEach(() => rm(directory, { recursive: true }))

it('reads the object that the file holds', async () => {
  await writeFile(join(directory, 'package.json'), '{"name":"a"}')
  expect(await readPackageFile(directory)).toEqual({ name: 'a' })
})

it('takes a project without the file for one with an empty file', async () => {
  expect(await readPackageFile(directory)).toEqual({})
})

it.each(['{', '[]', 'null', ''])('refuses a file that holds %j', async (text) => {
  await writeFile(join(directory, 'package.json'), text)
  await expect(readPackageFile(directory)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining(join(directory, 'package.json')),
  })
})

it('says that a folder in its place cannot be read', async () => {
  await mkdir(join(directory, 'package.json'))
  await expect(readPackageFile(directory)).rejects.toThrow('cannot be read (EISDIR)')
})

it('tells objects from lists and null', () => {
  expect([{}, Object.create(null), [], null, 'a'].map(isRecord)).toEqual([true, true, false, false, false])
})
