import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  browserBundleNameOf,
  bundleNameOf,
  bundlesOf,
  flatName,
  hashOfBundleName,
  pruneBundles,
} from '../../runtime/build/bundle-folder.ts'
import { sampleFunction } from './manifest-samples.ts'

const hash = '0123456789abcdef'

describe('the name of a bundle', () => {
  it.each([
    ['digits.ts', 'digits'],
    ['hello/[name].ts', 'hello--_name_'],
    ['files/[...rest].js', 'files--_...rest_'],
    ['admin/index.ts', 'admin'],
    ['über $1 %2F?#.ts', '_ber__1__2F__'],
  ])('of %s is one plain word', (file, word) => {
    const name = bundleNameOf(file, hash)
    expect(name).toBe(`${word}-${hash}.js`)
    expect(hashOfBundleName(name)).toBe(hash)
  })

  it('is told from other names', () => {
    for (const name of [
      'a.js',
      `a-${hash}.ts`,
      `../a-${hash}.js`,
      `a-${hash.toUpperCase()}.js`,
      `a-${hash}.js.map`,
    ]) {
      expect(hashOfBundleName(name)).toBeNull()
    }
  })

  it('tells a bundle for browsers from one for servers', () => {
    const name = browserBundleNameOf('hello/[name].ts', hash)
    expect(name).toBe(`hello--_name_.browser-${hash}.js`)
    expect(hashOfBundleName(name)).toBe(hash)
    const bundle = bundleNameOf('a.ts', hash)
    expect(bundlesOf(sampleFunction('a', { bundle }))).toEqual([bundle])
    expect(bundlesOf(sampleFunction('a', { bundle, browser: { bundle: name } }))).toEqual([bundle, name])
  })

  it('makes one word of a name', () => {
    expect(flatName('a/b/c')).toBe('a--b--c')
  })
})

describe('pruneBundles', () => {
  it('removes bundles that are not named and partial files, and leaves all else', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'isoplex-bundles-'))
    const kept = `a-${hash}.js`
    for (const name of [kept, `b-${hash}.js`, `a-${hash}.js.12.partial`, 'notes.js']) {
      await writeFile(join(directory, name), '')
    }
    await pruneBundles(directory, new Set([kept]))
    expect((await readdir(directory)).toSorted()).toEqual([kept, 'notes.js'])
    await rm(directory, { recursive: true })
    await pruneBundles(directory, new Set([kept]))
  })
})
