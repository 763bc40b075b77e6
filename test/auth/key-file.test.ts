import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { makeKeyFile, readKeyFile, replaceKeyFile } from '../../runtime/auth/key-file.ts'

const options = { secret: true, maxBytes: 10 }
let directory: string
let path: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'isoplex-key-file-'))
  path = join(directory, 'key')
})
afterEach(() => rm(directory, { recursive: true }))

it('reads a file that only its owner may use, and a public one that all may read', async () => {
  await writeFile(path, 'text', { mode: 0o600 })
  expect(readKeyFile(path, options)).toBe('text')
  await chmod(path, 0o644)
  expect(readKeyFile(path, { ...options, secret: false })).toBe('text')
  expect(() => readKeyFile(path, options)).toThrow(/permissions are 0644 and must be 0600/)
})

it('judges the file that a link leads to', async () => {
  await writeFile(path, 'text', { mode: 0o640 })
  await symlink(path, join(directory, 'link'))
  expect(() => readKeyFile(join(directory, 'link'), options)).toThrow(/0640/)
})

it('finds none where there is none, and refuses what is too large or no file', async () => {
  expect(readKeyFile(path, options)).toBeNull()
  await writeFile(path, 'x'.repeat(11), { mode: 0o600 })
  expect(() => readKeyFile(path, options)).toThrow(/too large/)
  expect(() => readKeyFile(directory, options)).toThrow(/no file/)
})

it('makes a file once, and replaces it whole, with nothing left beside it', async () => {
  makeKeyFile(path, 'first')
  makeKeyFile(path, 'second')
  expect(await readFile(path, 'utf8')).toBe('first')
  replaceKeyFile(path, 'third')
  expect(await readFile(path, 'utf8')).toBe('third')
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect(await readdir(directory)).toEqual(['key'])
})

it('leaves nothing behind where it cannot be put into its place', async () => {
  const folder = join(directory, 'folder')
  makeKeyFile(join(directory, 'other'), 'x')
  await mkdir(folder)
  expect(() => replaceKeyFile(folder, 'text')).toThrow()
  expect((await readdir(directory)).toSorted()).toEqual(['folder', 'other'])
})
