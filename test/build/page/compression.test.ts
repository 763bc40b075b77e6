import { readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { hashText } from '../../../runtime/build/content-hash.ts'
import {
  compressFile,
  compressionTasks,
  hashCompressed,
  isCompressed,
  pruneCompressed,
} from '../../../runtime/build/page/compression.ts'
import { fileNameOf } from '../../../runtime/build/page/file-name.ts'
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
  it('leaves out what is small, and what does not shrink', async () => {
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
    const tasks = await compressionTasks(files, scratch.directory)
    expect(tasks.map(({ target }) => target.slice(scratch.directory.length + 1))).toEqual([
      'a.js.gz',
      'a.js.br',
      'b.wasm.gz',
      'b.wasm.br',
    ])
  })
})

describe('isCompressed', () => {
  it('believes only what holds what the name of its file tells', async () => {
    await using scratch = await createScratch()
    const source = await scratch.write(fileNameOf('a', hashText(text), 'js'), text)
    const task = { source, target: `${source}.br`, encoding: 'br' } as const
    expect(await isCompressed(task)).toBe(false)
    await compressFile(task, () => undefined)
    expect(await isCompressed(task)).toBe(true)
    expect(await isCompressed({ ...task, encoding: 'gzip' })).toBe(false)
    const other = await scratch.write(fileNameOf('a', hashText('other'), 'js'), 'other')
    expect(await isCompressed({ ...task, source: other })).toBe(false)
    const unnamed = await scratch.write('a.js', text)
    expect(await isCompressed({ ...task, source: unnamed })).toBe(false)
  })
})

describe('pruneCompressed', () => {
  it('removes what processes that died two hours ago left half-written', async () => {
    await using scratch = await createScratch()
    const hoursAgo = new Date(Date.now() - 2 * 3_600_000)
    for (const name of ['a.js.br.1.partial', 'a.js.gz'])
      await utimes(await scratch.write(`packed/${name}`, 'x'), hoursAgo, hoursAgo)
    await scratch.write('packed/b.js.br.2.partial', 'x')
    await pruneCompressed(scratch.path('packed'))
    expect(await scratch.list('packed')).toEqual(['a.js.gz', 'b.js.br.2.partial'])
  })

  it('removes what nobody has used for a month, and keeps what was asked for since', async () => {
    await using scratch = await createScratch()
    const name = fileNameOf('a', hashText(text), 'js')
    const source = await scratch.write(name, text)
    const longAgo = new Date(Date.now() - 40 * 24 * 3_600_000)
    const target = scratch.path(`packed/${name}.gz`)
    const task = { source, target, encoding: 'gzip' } as const
    await compressFile(task, () => undefined)
    for (const old of ['old.js.br', 'old.js.br.1.partial']) await scratch.write(`packed/${old}`, 'x')
    for (const old of await scratch.list('packed'))
      await utimes(scratch.path(`packed/${old}`), longAgo, longAgo)
    await scratch.write('packed/new.js.br', 'x')
    const directory = scratch.path('packed')
    expect(await isCompressed(task)).toBe(true)
    await pruneCompressed(directory)
    expect(await scratch.list('packed')).toEqual([`${name}.gz`, 'new.js.br'])
    await pruneCompressed(scratch.path('nowhere'))
  })
})
