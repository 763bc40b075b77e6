import fc from 'fast-check'
import { unzipSync } from 'fflate'
import { describe, expect, it } from 'vitest'
import { type ByteSource, bytesSource } from '../../runtime/archive/byte-source.ts'
import { readDirectory } from '../../runtime/archive/directory.ts'
import { readEntry } from '../../runtime/archive/entry-content.ts'
import { archiveLimits } from '../../runtime/archive/limits.ts'
import { type StoredFile, writeStoredArchive } from '../../runtime/archive/stored-archive.ts'

function storedFile(name: string, ...chunks: readonly Uint8Array[]): StoredFile {
  return {
    name,
    sizeBytes: chunks.reduce((sum, chunk) => sum + chunk.length, 0),
    async *read() {
      yield* chunks
    },
  }
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(Buffer.concat(await Array.fromAsync(chunks)))
}

const files = fc.uniqueArray(fc.tuple(fc.stringMatching(/^[a-z]{1,6}$/), fc.uint8Array({ maxLength: 200 })), {
  selector: ([name]) => name,
  maxLength: 6,
})

describe('writeStoredArchive', () => {
  it('packs what readDirectory and readEntry unpack', async () => {
    await fc.assert(
      fc.asyncProperty(files, fc.nat(50), async (list, split) => {
        const source = bytesSource(
          await collect(
            writeStoredArchive(
              list.map(([name, bytes]) =>
                storedFile(`sub/${name}`, bytes.subarray(0, split), bytes.subarray(split)),
              ),
            ),
          ),
        )
        const entries = await readDirectory(source)
        const unpacked = entries.map(async (entry) => [entry.name, await collect(readEntry(source, entry))])
        expect(await Promise.all(unpacked)).toEqual(list.map(([name, bytes]) => [`sub/${name}`, bytes]))
      }),
    )
  })

  it('packs what another reader unpacks', async () => {
    await fc.assert(
      fc.asyncProperty(files, async (list) => {
        const archive = await collect(
          writeStoredArchive(list.map(([name, bytes]) => storedFile(name, bytes))),
        )
        expect(unzipSync(archive)).toEqual({ ...Object.fromEntries(list) })
      }),
    )
  })

  it('gives the same bytes for the same contents, however they are cut into chunks', async () => {
    const bytes = new Uint8Array([1, 2, 3, 4])
    const whole = await collect(writeStoredArchive([storedFile('a', bytes)]))
    const cut = await collect(writeStoredArchive([storedFile('a', bytes.subarray(0, 1), bytes.subarray(1))]))
    expect(cut).toEqual(whole)
  })

  it('refuses names that would be refused when they are read', async () => {
    await expect(collect(writeStoredArchive([storedFile('../a')]))).rejects.toMatchObject({
      details: { reason: 'name-climbs' },
    })
    await expect(collect(writeStoredArchive([storedFile('a'), storedFile('A')]))).rejects.toMatchObject({
      details: { reason: 'name-duplicate' },
    })
  })

  it.each([2, 4])('refuses a file of 3 bytes that has become one of %i', async (sizeBytes) => {
    const changed = { ...storedFile('a', new Uint8Array(sizeBytes)), sizeBytes: 3 }
    await expect(collect(writeStoredArchive([changed]))).rejects.toMatchObject({
      details: { reason: 'size-mismatch' },
    })
  })

  it('packs more than 65,535 files with zip64', async () => {
    const names = Array.from({ length: 65_536 }, (_, index) => `${index}`)
    const archive = await collect(writeStoredArchive(names.map((name) => storedFile(name))))
    const limits = { ...archiveLimits, maxEntries: 100_000, maxDirectoryBytes: 2 ** 24 }
    const entries = await readDirectory(bytesSource(archive), limits)
    expect(entries.map(({ name }) => name)).toEqual(names)
  })

  it('packs files of more than 4 GiB, and files behind them, with zip64', async () => {
    const block = new Uint8Array(2 ** 24).fill(7)
    const large: StoredFile = {
      name: 'large',
      sizeBytes: 2 ** 32 + block.length,
      async *read() {
        for (let index = 0; index < 257; index += 1) yield block
      },
    }
    const archive = writeStoredArchive([large, storedFile('small', new Uint8Array([1, 2, 3]))])
    const source = await sparseSource(archive, block)
    const [first, second] = await readDirectory(source)
    expect(first).toMatchObject({ name: 'large', sizeBytes: 2 ** 32 + 2 ** 24 })
    expect(second).toMatchObject({ name: 'small', sizeBytes: 3 })
    expect(await collect(readEntry(source, second as NonNullable<typeof second>))).toEqual(
      new Uint8Array([1, 2, 3]),
    )
  }, 60_000)
})

/** Keeps an archive without the blocks that it repeats, which nobody reads. */
async function sparseSource(chunks: AsyncIterable<Uint8Array>, block: Uint8Array): Promise<ByteSource> {
  const kept: { readonly at: number; readonly bytes: Uint8Array }[] = []
  let sizeBytes = 0
  for await (const bytes of chunks) {
    if (bytes !== block) kept.push({ at: sizeBytes, bytes })
    sizeBytes += bytes.length
  }
  return {
    sizeBytes,
    read: async (offset, length) => {
      const read = new Uint8Array(length)
      for (const { at, bytes } of kept) {
        const visible = bytes.subarray(Math.max(0, offset - at), Math.max(0, offset + length - at))
        read.set(visible, Math.min(length, Math.max(0, at - offset)))
      }
      return read
    },
  }
}
