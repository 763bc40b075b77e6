import { expect, it } from 'vitest'
import { readOrigin, toOriginKey, writeOrigin } from '../../runtime/model/origin-index.ts'
import { openStoreFolder } from '../../runtime/model/store-folder.ts'
import { createScratch } from './scratch.ts'

const digest = 'a'.repeat(64)
const facts = { digest, etag: '"1"', lastModified: null, checksum: null }

it.each([
  ['?X-Amz-Date=1&X-Amz-Signature=2', '?X-Amz-Date=3&X-Amz-Signature=4'],
  ['?id=5&sig=a&se=b&sp=r', '?id=5&sp=x&sig=c'],
  ['?Expires=1&Signature=2&Key-Pair-Id=3', ''],
  ['#a', ''],
])('knows %j and %j for one link', (one, other) => {
  const key = (query: string): string => toOriginKey('test/model', `https://a.example/f${query}`)
  expect(key(one)).toBe(key(other))
})

it('tells links and origins apart', () => {
  const keys = [
    toOriginKey('a', 'https://a.example/f?id=5'),
    toOriginKey('a', 'https://a.example/f?id=6'),
    toOriginKey('a', 'https://a.example/g?id=5'),
    toOriginKey('a', 'http://a.example/f?id=5'),
    toOriginKey('b', 'https://a.example/f?id=5'),
    toOriginKey('a', 's3://a/f?id=5'),
  ]
  expect(new Set(keys).size).toBe(keys.length)
})

it('remembers the last stamps of the same bytes, and those of no others', async () => {
  await using scratch = await createScratch()
  const folder = await openStoreFolder({ directory: scratch.path('store') })
  const key = toOriginKey('a', 'https://a.example/f')
  expect(await readOrigin(folder, key, null)).toBe(null)
  for (let index = 0; index < 40; index += 1)
    await writeOrigin(folder, key, { ...facts, stamp: String(index) })
  await writeOrigin(folder, key, { ...facts, stamp: '38' })
  const entry = await readOrigin(folder, key, null)
  expect(entry?.stamps.slice(0, 3)).toEqual(['38', '39', '37'])
  expect(entry?.stamps).toHaveLength(16)
  await writeOrigin(folder, key, { ...facts, digest: 'b'.repeat(64), stamp: 'new' })
  expect((await readOrigin(folder, key, null))?.stamps).toEqual(['new'])
})

it('takes a file that is torn or strange for none', async () => {
  await using scratch = await createScratch()
  const folder = await openStoreFolder({ directory: scratch.path('store') })
  const key = toOriginKey('a', 'https://a.example/f')
  for (const text of ['', '{', '[]', 'null', '{"digest":7}', '{"digest":"../x"}']) {
    await scratch.write(`store/origins/${key}`, text)
    expect(await readOrigin(folder, key, null)).toBe(null)
  }
})
