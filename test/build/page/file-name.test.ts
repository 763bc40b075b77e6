import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { hashText } from '../../../runtime/build/content-hash.ts'
import { fileNameOf, hashOfFileName, isWhole } from '../../../runtime/build/page/file-name.ts'
import { createScratch } from '../../model/scratch.ts'

const hash = '0123456789abcdef'

describe('the name of a file for pages', () => {
  it('tells the hash of its content', () => {
    expect(fileNameOf('ort.wasm.min', hash, 'js')).toBe(`ort.wasm.min-${hash}.js`)
    expect(hashOfFileName(`ort.wasm.min-${hash}.js`)).toBe(hash)
    expect(hashOfFileName(fileNameOf('a b/c', hash, 'wasm'))).toBe(hash)
  })

  it.each([
    'a.js',
    `a-${hash}.html`,
    `../a-${hash}.js`,
    `a/b-${hash}.js`,
    `a\\b-${hash}.js`,
    `a-${hash}.js.map`,
    `a-${hash}.js\n`,
    `a-${hash.toUpperCase()}.js`,
    `%2e%2e-${hash}.js`,
    '',
  ])('is not %j', (name) => {
    expect(hashOfFileName(name)).toBeNull()
  })

  it('tells a file that is whole from one that was changed, cut short or is not there', async () => {
    await using scratch = await createScratch()
    const name = fileNameOf('a', hashText('content'), 'js')
    const path = join(scratch.directory, name)
    expect(await isWhole(path, name)).toBe(false)
    await writeFile(path, 'content')
    expect(await isWhole(path, name)).toBe(true)
    await writeFile(path, 'conten')
    expect(await isWhole(path, name)).toBe(false)
  })
})
