import { rm, writeFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { CompressedFiles } from '../../../runtime/server/page/compressed-files.ts'
import { createScratch } from '../../model/scratch.ts'
import { nameFor } from './page-samples.ts'

describe('the compressed forms of a file', () => {
  it('are there once they hold what the name tells, and not while they do not', async () => {
    await using scratch = await createScratch()
    const packed = scratch.path('a.gz')
    const file = { name: nameFor('a', 'content'), path: scratch.path('a'), compressed: { gzip: packed } }
    const files = new CompressedFiles()
    expect(await files.find(file, 'br')).toBeNull()
    expect(await files.find(file, 'gzip')).toBeNull()
    await writeFile(packed, gzipSync('content').subarray(0, -1))
    expect(await files.find(file, 'gzip')).toBeNull()
    await writeFile(packed, gzipSync('another content'))
    expect(await files.find(file, 'gzip')).toBeNull()
    const bytes = gzipSync('content')
    await writeFile(packed, bytes)
    expect(await files.find(file, 'gzip')).toEqual({ path: packed, sizeBytes: bytes.length })
    await rm(packed)
    expect(await files.find(file, 'gzip')).toBeNull()
  })
})
