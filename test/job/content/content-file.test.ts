import { link, readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { fetchInPieces, readSource } from '../../../runtime/job/content/content-file.ts'
import { patternOf } from '../../contract/content-shelf.ts'
import { createScratch } from '../../model/scratch.ts'

it('takes bytes and files apart into the same pieces, of which only the last may be short', async () => {
  await using scratch = await createScratch()
  await fc.assert(
    fc.asyncProperty(fc.nat(200), fc.integer({ min: 1, max: 70 }), async (length, size) => {
      const bytes = patternOf(length)
      const pieces = await Array.fromAsync(readSource({ bytes }, size))
      const path = await scratch.write('source', bytes)
      expect((await Array.fromAsync(readSource({ path }, size))).map(toList)).toEqual(pieces.map(toList))
      expect(pieces.flatMap(toList)).toEqual(toList(bytes))
      expect(pieces.slice(0, -1).every((piece) => piece.length === size)).toBe(true)
      expect(pieces.length).toBe(Math.max(1, Math.ceil(length / size)))
    }),
    { numRuns: 50 },
  )
})

it('fetches into a new file, and leaves none that is half written', async () => {
  await using scratch = await createScratch()
  const path = await scratch.write('target', 'before')
  await link(path, scratch.path('linked'))
  const bytes = patternOf(5_000_000)
  const read = async (_key: string, offset: number, maxBytes: number) =>
    bytes.slice(offset, offset + maxBytes)
  await fetchInPieces({ read }, 'key', path)
  expect(Buffer.compare(await readFile(path), bytes)).toBe(0)
  expect(await readFile(scratch.path('linked'), 'utf8')).toBe('before')
  const breaking = async (key: string, offset: number, maxBytes: number) => {
    if (offset > 0) throw new Error('cut')
    return read(key, offset, maxBytes)
  }
  await expect(fetchInPieces({ read: breaking }, 'key', path)).rejects.toThrow('cut')
  expect(await scratch.list()).toEqual(['linked'])
})

function toList(bytes: Uint8Array): number[] {
  return [...bytes]
}
