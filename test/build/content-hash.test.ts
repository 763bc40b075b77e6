import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { hashFile, hashText } from '../../runtime/build/content-hash.ts'

describe('a content hash', () => {
  it('is the same for a text and for the file that holds it, large or empty', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'isoplex-hash-'))
    const path = join(directory, 'file')
    for (const text of ['', 'ä', 'x'.repeat(3_000_000)]) {
      await writeFile(path, text)
      expect(await hashFile(path)).toBe(hashText(text))
    }
    expect(hashText('a')).toMatch(/^[0-9a-f]{16}$/)
    expect(hashText('a')).not.toBe(hashText('b'))
    await rm(directory, { recursive: true })
  })

  it('is null where there is no file', async () => {
    expect(await hashFile(join(tmpdir(), 'no-such-file'))).toBeNull()
    expect(await hashFile(tmpdir())).toBeNull()
  })
})
