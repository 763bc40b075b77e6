import { readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { hashText } from '../../../runtime/build/content-hash.ts'
import {
  compressedPaths,
  compressFile,
  compressionTasks,
  hashCompressed,
  pruneCompressed,
} from '../../../runtime/build/page/compression.ts'
import { createScratch } from '../../model/scratch.ts'

const text = 'export const answer = 42\n'.repeat(10_000)

describe('compressFile', () => {
  it.each([
    ['br', brotliDecompressSync],
    ['gzip', gunzipSync],
  ] as const)(
    'makes %s that decodes to the very bytes, and tells how far it is',
    async (encoding, decode) => {
      await using scratch = await createScratch()
      const source = await scratch.write('a.js', text)
      const target = join(scratch.directory, 'deep/a.js.packed')
      let done = 0
      await compressFile({ source, target, encoding }, (bytes) => {
        done += bytes
      })
      expect(done).toBe(text.length)
      expect(decode(await readFile(target)).toString()).toBe(text)
      expect((await stat(target)).size).toBeLessThan(text.length / 100)
      expect(await hashCompressed(target, encoding)).toBe(hashText(text))
    },
  )

  it('leaves nothing where it fails', async () => {
    await using scratch = await createScratch()
    const source = await scratch.write('a.js', text)
    const target = join(scratch.directory, 'out', 'a.js.br')
    const failing = compressFile({ source, target, encoding: 'br' }, () => {
      throw new Error('no more')
    })
    await expect(failing).rejects.toThrow('no more')
    expect(await readdir(join(scratch.directory, 'out'))).toEqual([])
  })
})

describe('hashCompressed', () => {
  it.each(['br', 'gzip'] as const)(
    'gives nothing for %s that is cut short, changed or not there',
    async (encoding) => {
      await using scratch = await createScratch()
      const source = await scratch.write('a.js', text)
      const target = join(scratch.directory, 'a.js.packed')
      await compressFile({ source, target, encoding }, () => undefined)
      const bytes = await readFile(target)
      await writeFile(target, bytes.subarray(0, -4))
      expect(await hashCompressed(target, encoding)).toBeNull()
      await writeFile(target, 'plain')
      expect(await hashCompressed(target, encoding)).toBeNull()
      expect(await hashCompressed(join(scratch.directory, 'none'), encoding)).toBeNull()
    },
  )
})

describe('compressionTasks', () => {
  it('leaves out what is there, what is small, and what does not shrink', async () => {
    await using scratch = await createScratch()
    const named = async (name: string, content: string) => ({
      name,
      path: await scratch.write(name, content),
    })
    const files = [
      await named('a.js', text),
      await named('b.wasm', text),
      await named('small.js', 'x'),
      await named('c.png', text),
    ]
    const { br } = compressedPaths(scratch.directory, 'a.js')
    await writeFile(br, 'there')
    const tasks = await compressionTasks(files, scratch.directory)
    expect(tasks.map(({ target }) => target.slice(scratch.directory.length + 1))).toEqual([
      'a.js.gz',
      'b.wasm.gz',
      'b.wasm.br',
    ])
  })
})

describe('pruneCompressed', () => {
  it('removes what nobody has used for a month, and keeps what was asked for since', async () => {
    await using scratch = await createScratch()
    const source = await scratch.write('a.js', text)
    const longAgo = new Date(Date.now() - 40 * 24 * 3_600_000)
    const targets = ['a.js.br', 'a.js.gz', 'old.js.br', 'old.js.br.1.partial'].map((name) => `packed/${name}`)
    for (const target of targets) await utimes(await scratch.write(target, 'x'), longAgo, longAgo)
    await scratch.write('packed/new.js.br', 'x')
    const directory = scratch.path('packed')
    expect(await compressionTasks([{ name: 'a.js', path: source }], directory)).toEqual([])
    await pruneCompressed(directory)
    expect(await scratch.list('packed')).toEqual(['a.js.br', 'a.js.gz', 'new.js.br'])
    await pruneCompressed(scratch.path('nowhere'))
  })
})
