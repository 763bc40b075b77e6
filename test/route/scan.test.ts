import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { scanFunctions } from '../../runtime/route/scan.ts'

let project: string
let directory: string
beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), 'isoplex-scan-'))
  directory = join(project, 'functions')
  await mkdir(directory)
})
afterEach(() => rm(project, { recursive: true }))

async function put(...files: string[]): Promise<void> {
  for (const file of files) {
    await mkdir(dirname(join(directory, file)), { recursive: true })
    await writeFile(join(directory, file), '')
  }
}

it('lists functions in all folders, in order of code units', async () => {
  await put('b.ts', 'a/z.ts', 'a/index.ts', 'a.ts', 'Z.js', '[name].ts', 'é.ts')
  const { files } = await scanFunctions(directory)
  expect(files).toEqual(['Z.js', '[name].ts', 'a.ts', 'a/index.ts', 'a/z.ts', 'b.ts', 'é.ts'])
})

it('leaves out helpers, tests, declarations, other files and folders named like functions', async () => {
  await put('_a.ts', '_b/c.ts', '.d/e.ts', 'f.test.ts', 'g.d.ts', 'h.md', 'node_modules/i/j.js', 'k.ts/l.md')
  expect(await scanFunctions(directory)).toEqual({ files: [], ignoredLinks: [] })
})

it('finds nothing in a folder that is not there', async () => {
  expect(await scanFunctions(join(project, 'nowhere'))).toEqual({ files: [], ignoredLinks: [] })
})

it('refuses a functions folder that is a file', async () => {
  await writeFile(join(project, 'file'), '')
  await expect(scanFunctions(join(project, 'file'))).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('ENOTDIR'),
  })
})

it('takes a link to a file within', async () => {
  await put('a.ts')
  await symlink('a.ts', join(directory, 'b.ts'))
  expect(await scanFunctions(directory)).toEqual({ files: ['a.ts', 'b.ts'], ignoredLinks: [] })
})

it('ignores links that lead out, to folders, nowhere and in circles, and says which', async () => {
  await put('a/b.ts')
  await writeFile(join(project, 'secret.ts'), '')
  await mkdir(join(project, 'functions-beside'))
  await writeFile(join(project, 'functions-beside/c.ts'), '')
  await symlink('../secret.ts', join(directory, 'out.ts'))
  await symlink('../functions-beside/c.ts', join(directory, 'beside.ts'))
  await symlink('..', join(directory, 'a/loop'))
  await symlink('nowhere.ts', join(directory, 'dangling.ts'))
  await symlink('/etc', join(directory, 'etc'))
  await symlink('readme.md', join(directory, 'other.md'))
  expect(await scanFunctions(directory)).toEqual({
    files: ['a/b.ts'],
    ignoredLinks: ['a/loop', 'beside.ts', 'dangling.ts', 'etc', 'out.ts'],
  })
})

it('ignores a link to itself', async () => {
  await symlink('self.ts', join(directory, 'self.ts'))
  expect((await scanFunctions(directory)).files).toEqual([])
})

it('follows the functions folder itself where that is a link', async () => {
  await put('a.ts')
  await symlink('functions', join(project, 'linked'))
  expect((await scanFunctions(join(project, 'linked'))).files).toEqual(['a.ts'])
})
