import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  bytesOf,
  type ContentFile,
  digestOf,
  isDigest,
  listContent,
  readListing,
  sha256OfFile,
} from '../../../runtime/replica/node/content-listing.ts'

const sha256 = 'ab'.repeat(32)
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'isoplex-listing-'))
  await mkdir(join(folder, 'deep/er'), { recursive: true })
  await writeFile(join(folder, 'b.txt'), 'two')
  await writeFile(join(folder, 'deep/er/a.txt'), '')
  await symlink('/etc/passwd', join(folder, 'link'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

function fileAt(path: string, facts: Partial<ContentFile> = {}): ContentFile {
  return { path, bytes: 1, sha256, ...facts }
}

describe('the listing of a folder', () => {
  it('has every file with its bytes and digest, in order, and follows no link', async () => {
    const listing = await listContent(folder)
    expect(listing.map(({ path, bytes }) => [path, bytes])).toEqual([
      ['b.txt', 3],
      ['deep/er/a.txt', 0],
    ])
    expect(listing[0]?.sha256).toBe(await sha256OfFile(join(folder, 'b.txt')))
    expect(bytesOf(listing)).toBe(3)
  })

  it('is the same however often it is made, and read back as it was', async () => {
    const listing = await listContent(folder)
    const digest = digestOf(listing)
    expect(isDigest(digest)).toBe(true)
    expect(digestOf(await listContent(folder))).toBe(digest)
    expect(readListing(JSON.parse(JSON.stringify(listing)), digest)).toEqual(listing)
  })

  it('can be of some of the files alone', async () => {
    expect((await listContent(folder, ['b.txt'])).map(({ path }) => path)).toEqual(['b.txt'])
    await expect(listContent(folder, ['gone.txt'])).rejects.toThrow('ENOENT')
  })
})

describe('a digest', () => {
  it('differs with whatever differs', () => {
    const file = fc.record({
      path: fc.string({ minLength: 1 }),
      bytes: fc.nat(),
      sha256: fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 64, maxLength: 64 }),
    })
    fc.assert(
      fc.property(fc.array(file), fc.array(file), (one, another) => {
        const same = JSON.stringify(one) === JSON.stringify(another)
        expect(digestOf(one) === digestOf(another)).toBe(same)
      }),
    )
  })
})

describe('a listing from elsewhere', () => {
  it.each([
    '/etc/passwd',
    '../up',
    'a/../../up',
    'a\\..\\up',
    'C:/windows',
    'a//b',
    './a',
    'a/.',
    'a\u0000b',
    'a\nb',
    'a/',
    `${'a/'.repeat(40)}b`,
    'a'.repeat(300),
  ])('with the name %j is refused', (path) => {
    const listing = [fileAt(path)]
    expect(() => readListing(listing, digestOf(listing))).toThrow()
  })

  it.each([[['a', 'a']], [['a', 'A']], [['a', 'a/b']]])(
    'with the names %j, which meet, is refused',
    (paths) => {
      const listing = paths.map((path) => fileAt(path))
      expect(() => readListing(listing, digestOf(listing))).toThrow()
    },
  )

  it('that is not that of its digest is refused', () => {
    expect(() => readListing([fileAt('a')], digestOf([fileAt('b')]))).toThrow('not that of content')
  })

  it('of any other form is refused', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        fc.pre(!(Array.isArray(value) && value.length === 0))
        expect(() => readListing(value, sha256)).toThrow()
      }),
    )
    for (const facts of [{ bytes: -1 }, { bytes: 0.5 }, { sha256: 'AB'.repeat(32) }, { extra: 1 }]) {
      const listing = [fileAt('a', facts)]
      expect(() => readListing(listing, digestOf(listing))).toThrow()
    }
  })
})
