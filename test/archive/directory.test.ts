import fc from 'fast-check'
import { zipSync } from 'fflate'
import { describe, expect, it } from 'vitest'
import { blobSource, bytesSource } from '../../runtime/archive/byte-source.ts'
import { readDirectory } from '../../runtime/archive/directory.ts'
import { buildArchive, unixMode, zip64Extra } from '../support/archive-builder.ts'

describe('readDirectory', () => {
  it('gives the files with their sizes, methods, sums and places', async () => {
    const archive = buildArchive([
      { name: 'folder/', externalAttributes: unixMode(0o040755) | 0x10 },
      { name: 'folder/model.onnx', content: 'weights', externalAttributes: 0 },
      { name: 'labels.txt', content: 'aaaaaaaaaaaaaaaaaaaa', method: 8 },
    ])
    const entries = await readDirectory(bytesSource(archive))
    expect(entries).toEqual([
      {
        name: 'folder/model.onnx',
        sizeBytes: 7,
        compressedBytes: 7,
        method: 'stored',
        crc32: 0x1ad27358,
        offset: 84,
      },
      expect.objectContaining({ name: 'labels.txt', sizeBytes: 20, method: 'deflated' }),
    ])
    expect(new TextDecoder().decode(archive.subarray(84, 91))).toBe('weights')
    expect(Object.isFrozen(entries) && entries.every(Object.isFrozen)).toBe(true)
  })

  it('reads a Blob as it reads bytes', async () => {
    const archive = buildArchive([{ name: 'model.onnx', content: 'weights' }])
    expect(await readDirectory(blobSource(new Blob([archive])))).toEqual(
      await readDirectory(bytesSource(archive)),
    )
  })

  it('takes an archive without entries, and one with a comment that looks like an end', async () => {
    expect(await readDirectory(bytesSource(buildArchive([])))).toEqual([])
    const comment = new Uint8Array([0x50, 0x4b, 5, 6, ...new Uint8Array(40)])
    expect(await readDirectory(bytesSource(buildArchive([{ name: 'a' }], { comment })))).toHaveLength(1)
  })

  it('takes bytes in front that the offsets know of', async () => {
    const before = new Uint8Array(1_000)
    const [entry] = await readDirectory(bytesSource(buildArchive([{ name: 'a', content: 'x' }], { before })))
    expect(entry?.offset).toBe(1_031)
  })

  it('takes sums and sizes that follow the content', async () => {
    const local = { crc32: 0, sizeBytes: 0, compressedBytes: 0 }
    const archive = buildArchive([{ name: 'a', content: 'xyz', flags: 1 << 3, local }])
    expect(await readDirectory(bytesSource(archive))).toMatchObject([{ sizeBytes: 3 }])
  })

  it('reads zip64 values where there are some', async () => {
    const tooLarge = { sizeBytes: 0xffffffff, compressedBytes: 0xffffffff, headerAt: 0xffffffff }
    const entry = { name: 'a', content: 'xyz', ...tooLarge, extra: zip64Extra(3, 3, 0) }
    const end = { entries: 0xffff, entriesHere: 0xffff, sizeBytes: 0xffffffff, offset: 0xffffffff }
    const archive = buildArchive([entry], { end, zip64: {} })
    expect(await readDirectory(bytesSource(archive))).toMatchObject([{ sizeBytes: 3, compressedBytes: 3 }])
  })

  it('reads what another writer packed', async () => {
    const content = fc.uint8Array({ maxLength: 300 })
    const name = fc.stringMatching(/^[a-z]{1,8}$/)
    await fc.assert(
      fc.asyncProperty(fc.dictionary(name, content), fc.constantFrom(0, 9), async (files, level) => {
        const archive = zipSync({ ...files }, { level: level as 0 | 9 })
        const entries = await readDirectory(bytesSource(archive))
        expect(Object.fromEntries(entries.map((entry) => [entry.name, entry.sizeBytes]))).toEqual(
          Object.fromEntries(Object.entries(files).map(([key, bytes]) => [key, bytes.length])),
        )
      }),
    )
  })

  it('refuses an archive cut short at any byte', async () => {
    const archive = buildArchive([
      { name: 'model.onnx', content: 'weights' },
      { name: 'labels.txt', content: 'aaaaaaaaaaaaaaaaaaaa', method: 8 },
    ])
    for (let length = 0; length < archive.length; length += 1) {
      const cut = readDirectory(bytesSource(archive.subarray(0, length)))
      await expect(cut, `cut to ${length} bytes`).rejects.toMatchObject({ code: 'ARTIFACT_BROKEN' })
    }
  })

  it('refuses claims of a large directory without reading it', async () => {
    const bytes = buildArchive([], { end: { sizeBytes: 2 ** 31, offset: 2 ** 30 } })
    let readBytes = 0
    const source = {
      sizeBytes: 2 ** 30 + 2 ** 31 + bytes.length,
      read: async (offset: number, length: number) => {
        readBytes += length
        const tail = new Uint8Array(length)
        if (offset + length === 2 ** 30 + 2 ** 31 + bytes.length) tail.set(bytes, length - bytes.length)
        return tail
      },
    }
    await expect(readDirectory(source)).rejects.toMatchObject({ details: { reason: 'directory-too-large' } })
    expect(readBytes).toBeLessThan(70_000)
  })
})
