import { deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ByteSource, bytesSource } from '../../runtime/archive/byte-source.ts'
import { readDirectory } from '../../runtime/archive/directory.ts'
import { readEntry } from '../../runtime/archive/entry-content.ts'
import { isIsoplexError } from '../../runtime/error/error.ts'
import { buildArchive } from '../support/archive-builder.ts'

async function unpack(source: ByteSource): Promise<Record<string, Uint8Array>> {
  const files: Record<string, Uint8Array> = {}
  for (const entry of await readDirectory(source)) {
    files[entry.name] = new Uint8Array(Buffer.concat(await Array.fromAsync(readEntry(source, entry))))
  }
  return files
}

describe('readEntry', () => {
  it('gives back what was packed, stored or deflated, in any size', async () => {
    const random = crypto.getRandomValues(new Uint8Array(65_536))
    for (const sizeBytes of [0, 1, 16_383, 16_384, 16_385, 262_144, 262_145, 1_000_000]) {
      const content = Uint8Array.from(
        { length: sizeBytes },
        (_, index) => (random[index % 65_536] ?? 0) & (index >> 16),
      )
      const files = await unpack(
        bytesSource(
          buildArchive([
            { name: 'stored', content },
            { name: 'deflated', content, method: 8 },
            { name: 'blocks', content, method: 8, packed: deflateRawSync(content, { level: 0 }) },
          ]),
        ),
      )
      for (const name of ['stored', 'deflated', 'blocks']) {
        expect(Buffer.from(files[name] ?? []).equals(content), `${name} of ${sizeBytes}`).toBe(true)
      }
    }
  })

  it('either gives the right bytes or refuses, whatever byte is changed', async () => {
    const content = new TextEncoder().encode('weights, weights and more weights')
    const archive = buildArchive([
      { name: 'stored', content },
      { name: 'deflated', content, method: 8 },
    ])
    await fc.assert(
      fc.asyncProperty(fc.nat(archive.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const changed = archive.slice()
        changed[at] = (changed[at] ?? 0) ^ change
        try {
          for (const bytes of Object.values(await unpack(bytesSource(changed))))
            expect(bytes).toEqual(content)
        } catch (error) {
          if (!isIsoplexError(error)) throw error
          expect(error.code).toBe('ARTIFACT_BROKEN')
        }
      }),
      { numRuns: 2_000 },
    )
  })

  it('refuses random bytes in place of a deflate stream with our error', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 400 }), async (packed) => {
        const archive = buildArchive([{ name: 'a', method: 8, packed, sizeBytes: 1_000 }])
        await expect(unpack(bytesSource(archive))).rejects.toMatchObject({ code: 'ARTIFACT_BROKEN' })
      }),
      { numRuns: 2_000 },
    )
  })

  it('stops reading a bomb that lies about its size at the first output too many', async () => {
    const bomb = deflateRawSync(Buffer.alloc(300_000_000))
    const archive = buildArchive([{ name: 'bomb', method: 8, packed: bomb, sizeBytes: 50_000 }])
    const inner = bytesSource(archive)
    const [entry] = await readDirectory(inner)
    if (entry === undefined) throw new Error('the archive has an entry')
    let contentBytes = 0
    const source: ByteSource = {
      sizeBytes: inner.sizeBytes,
      read: (offset, length) => {
        contentBytes += length
        return inner.read(offset, length)
      },
    }
    let givenBytes = 0
    const read = async (): Promise<void> => {
      for await (const chunk of readEntry(source, entry)) givenBytes += chunk.length
    }
    await expect(read()).rejects.toMatchObject({ details: { reason: 'size-mismatch' } })
    expect(givenBytes).toBeLessThanOrEqual(50_000)
    expect(contentBytes).toBeLessThanOrEqual(262_144)
  })

  it('refuses a bomb of 1 GB in little memory', async () => {
    const script = new URL('fixtures/bomb.ts', import.meta.url).pathname
    const child = Bun.spawn([process.execPath, script], { stdout: 'pipe', stderr: 'inherit' })
    const { reason, peakBytes } = await new Response(child.stdout).json()
    expect(reason).toBe('size-mismatch')
    expect(peakBytes).toBeLessThan(200_000_000)
  })
})
