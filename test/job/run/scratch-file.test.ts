import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { writeScratchFile } from '../../../runtime/job/run/scratch-file.ts'

const roomy = Number.MAX_SAFE_INTEGER
let directory: string
let path: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'isoplex-scratch-'))
  path = join(directory, 'file')
})
afterEach(() => rm(directory, { recursive: true }))

it('writes texts and bytes one after the other', async () => {
  const piece = fc.oneof(fc.string({ unit: 'grapheme' }), fc.uint8Array({ maxLength: 100 }))
  await fc.assert(
    fc.asyncProperty(fc.array(piece), async (pieces) => {
      await rm(path, { force: true })
      const expected = Buffer.concat(pieces.map((each) => Buffer.from(each as string)))
      expect(await writeScratchFile(path, pieces, roomy)).toBe(expected.length)
      expect(await readFile(path)).toEqual(expected)
    }),
    { numRuns: 50 },
  )
})

it('may be given the same memory again and again', async () => {
  const memory = new Uint8Array(100_000)
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let value = 1; value <= 9; value += 1) yield memory.fill(value)
  }
  await writeScratchFile(path, pieces(), roomy)
  const written = await readFile(path)
  expect(written.length).toBe(900_000)
  for (let value = 1; value <= 9; value += 1) {
    expect(written.subarray((value - 1) * 100_000, value * 100_000).every((byte) => byte === value)).toBe(
      true,
    )
  }
})

it('writes pieces that are larger than what it gathers', async () => {
  const large = new Uint8Array(1_000_000).fill(7)
  expect(await writeScratchFile(path, ['before', large, 'after'], roomy)).toBe(1_000_011)
  const written = await readFile(path)
  expect([written.toString('utf8', 0, 6), written.toString('utf8', 1_000_006)]).toEqual(['before', 'after'])
})

it.each([
  ['the pieces fail', /broken off/, () => Promise.reject(new Error('broken off'))],
  [
    'a piece is none',
    /made of texts and Uint8Arrays; got number/,
    () => Promise.resolve(5 as unknown as string),
  ],
])('leaves nothing where %s', async (_, message, last) => {
  async function* pieces(): AsyncGenerator<string> {
    yield 'x'.repeat(500_000)
    yield await last()
  }
  await expect(writeScratchFile(path, pieces(), roomy)).rejects.toThrow(message)
  expect(await Bun.file(path).exists()).toBe(false)
})

it("takes nobody else's file", async () => {
  await Bun.write(path, 'mine')
  await expect(writeScratchFile(path, ['yours'], roomy)).rejects.toThrow(/EEXIST/)
  expect(await Bun.file(path).text()).toBe('mine')
})

it.each([
  ['pieces that never end', Number.POSITIVE_INFINITY, 'x'.repeat(999)],
  ['one that is too large', 1, 'x'.repeat(1_000_001)],
])('takes no more than there is room for: %s', async (_, count, piece) => {
  async function* pieces(): AsyncGenerator<string> {
    for (let given = 0; given < count; given += 1) yield piece
  }
  await expect(writeScratchFile(path, pieces(), 1_000_000)).rejects.toMatchObject({
    code: 'JOB_TOO_LARGE',
    details: { limitBytes: 1_000_000 },
  })
  expect(await readdir(directory)).toEqual([])
})
