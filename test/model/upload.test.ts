import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openUploads, type UploadChunk, type UploadLimits, type Uploads } from '../../runtime/model/upload.ts'
import { createScratch, type Scratch } from './scratch.ts'

const accessId = 7
const content = new TextEncoder().encode('ten bytes!')
const md5 = new Bun.CryptoHasher('md5').update(content).digest('hex')

let scratch: Scratch
beforeEach(async () => {
  scratch = await createScratch()
})
afterEach(() => scratch[Symbol.asyncDispose]())

function openHere(limits: Partial<UploadLimits> = {}): Promise<Uploads> {
  return openUploads(scratch.path('staging'), { maxBytes: 1_000, ...limits })
}

/** The part of the content from one byte to another. */
function part(from: number, to: number): UploadChunk {
  return { startByte: from, totalBytes: content.length, bytes: content.subarray(from, to) }
}

async function uploadWhole(uploads: Uploads): Promise<string> {
  const { id } = await uploads.begin(accessId, part(0, content.length))
  await uploads.finish({ accessId, id }, md5)
  return id
}

describe('an upload', () => {
  it('puts the chunks together, is used once, and leaves nothing', async () => {
    const uploads = await openHere()
    const begun = await uploads.begin(accessId, part(0, 4))
    expect(begun).toEqual({ id: expect.any(String), offset: 4, totalBytes: 10 })
    const name = { accessId, id: begun.id }
    expect(await uploads.append(name, part(4, 10))).toMatchObject({ offset: 10 })
    await uploads.finish(name, md5.toUpperCase())
    await uploads.finish(name, md5)
    expect(await uploads.use(name, (path) => readFile(path, 'utf8'))).toBe('ten bytes!')
    expect(await scratch.list('staging')).toEqual([])
    await expect(uploads.use(name, async () => null)).rejects.toMatchObject({ code: 'ENTRY_NOT_FOUND' })
  })

  it('comes out whole however it is cut, also where the chunks come side by side', async () => {
    const uploads = await openHere()
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        fc.array(fc.nat(300)),
        async (bytes, cuts) => {
          const edges = [...new Set([...cuts.filter((cut) => cut < bytes.length), 0, bytes.length])].toSorted(
            (a, b) => a - b,
          )
          const chunks = edges.slice(0, -1).map((from, index): UploadChunk => {
            return {
              startByte: from,
              totalBytes: bytes.length,
              bytes: bytes.subarray(from, edges[index + 1]),
            }
          })
          const [first, ...others] = chunks
          if (!first) throw new Error('a file has a byte')
          const { id } = await uploads.begin(accessId, first)
          await Promise.all(others.map((chunk) => uploads.append({ accessId, id }, chunk)))
          await uploads.finish({ accessId, id }, new Bun.CryptoHasher('md5').update(bytes).digest('hex'))
          expect(new Uint8Array(await uploads.use({ accessId, id }, (path) => readFile(path)))).toEqual(bytes)
        },
      ),
      { numRuns: 50 },
    )
  })

  it('takes one of two chunks for the same place', async () => {
    const uploads = await openHere()
    const { id } = await uploads.begin(accessId, part(0, 4))
    const twice = [part(4, 10), part(4, 10)].map((chunk) => uploads.append({ accessId, id }, chunk))
    const outcomes = await Promise.allSettled(twice)
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    await uploads.finish({ accessId, id }, md5)
  })

  it.each([
    ['a gap', part(5, 10)],
    ['an overlap', part(3, 10)],
    ['nothing', part(4, 4)],
    ['another size of the file', { ...part(4, 8), totalBytes: 8 }],
    ['more than the file has', { ...part(4, 10), bytes: new Uint8Array(7) }],
  ])('refuses a chunk with %s and goes on', async (_, chunk) => {
    const uploads = await openHere()
    const { id } = await uploads.begin(accessId, part(0, 4))
    await expect(uploads.append({ accessId, id }, chunk)).rejects.toMatchObject({ code: 'INPUT_INVALID' })
    await uploads.append({ accessId, id }, part(4, 10))
    await uploads.finish({ accessId, id }, md5)
  })

  it('does not begin in the middle, nor where the file would be too large', async () => {
    const uploads = await openHere({ maxBytes: 9 })
    await expect(uploads.begin(accessId, { ...part(4, 8), totalBytes: 9 })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
    })
    await expect(uploads.begin(accessId, part(0, 4))).rejects.toMatchObject({
      code: 'BODY_TOO_LARGE',
      details: { limitBytes: 9 },
    })
    expect(await scratch.list('staging')).toEqual([])
  })

  it('is found by the access that began it, and by no other', async () => {
    const uploads = await openHere()
    const { id } = await uploads.begin(accessId, part(0, 10))
    const strange = { accessId: 8, id }
    for (const attempt of [
      () => uploads.append(strange, part(4, 10)),
      () => uploads.finish(strange, md5),
      () => uploads.use(strange, async () => null),
    ]) {
      await expect(attempt()).rejects.toMatchObject({ code: 'ENTRY_NOT_FOUND' })
    }
    await uploads.finish({ accessId, id }, md5)
  })

  it('is not finished while bytes are missing, and is given up where its MD5 is another', async () => {
    const uploads = await openHere()
    const { id } = await uploads.begin(accessId, part(0, 4))
    await expect(uploads.finish({ accessId, id }, md5)).rejects.toThrow(/4 of its 10 bytes/)
    await expect(uploads.use({ accessId, id }, async () => null)).rejects.toThrow(/not finished/)
    await uploads.append({ accessId, id }, part(4, 10))
    await expect(uploads.finish({ accessId, id }, '0'.repeat(32))).rejects.toMatchObject({
      details: { issues: [{ path: '/md5' }] },
    })
    expect(await scratch.list('staging')).toEqual([])
  })

  it('stays where the work with it fails, and is worked with by one at a time', async () => {
    const uploads = await openHere()
    const id = await uploadWhole(uploads)
    const failing = uploads.use({ accessId, id }, async () => Promise.reject(new Error('no model')))
    await expect(uploads.use({ accessId, id }, async () => null)).rejects.toThrow(/already/)
    await expect(failing).rejects.toThrow('no model')
    expect(await uploads.use({ accessId, id }, (path) => readFile(path, 'utf8'))).toBe('ten bytes!')
  })
})

describe('the uploads of an access', () => {
  it('are a few at a time, however many begin at once', async () => {
    const uploads = await openHere({ maxOpen: 2 })
    const begun = await Promise.allSettled([1, 2, 3].map(() => uploads.begin(accessId, part(0, 4))))
    expect(begun.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
    await uploads.begin(8, part(0, 4))
  })

  it('are given up once they were idle for long', async () => {
    let nowMs = 0
    const uploads = await openHere({ idleMs: 100, now: () => nowMs })
    const { id } = await uploads.begin(accessId, part(0, 4))
    nowMs = 99
    await uploads.append({ accessId, id }, part(4, 8))
    nowMs = 198
    await uploads.sweep()
    expect(await scratch.list('staging')).toHaveLength(1)
    nowMs = 199
    await uploads.sweep()
    expect(await scratch.list('staging')).toEqual([])
    await expect(uploads.append({ accessId, id }, part(8, 10))).rejects.toMatchObject({
      code: 'ENTRY_NOT_FOUND',
    })
  })
})
