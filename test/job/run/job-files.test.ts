import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { JobFiles } from '../../../runtime/define/action-context.ts'
import { createJobFiles } from '../../../runtime/job/run/job-files.ts'
import { MemoryHost } from './memory-host.ts'

let directory: string
let host: MemoryHost
let files: JobFiles

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'isoplex-files-'))
  host = new MemoryHost()
  files = createJobFiles({ host, directory, maxBytes: 1_000_000 })
})
afterEach(() => rm(directory, { recursive: true }))

async function* lines(): AsyncGenerator<string> {
  yield 'a,b\n'
  yield '1,2\n'
}

it.each([
  ['text', 'note.txt', 'hello', 'hello', 'text/plain'],
  ['bytes', 'picture.png', Uint8Array.of(104, 105), 'hi', 'image/png'],
  ['pieces', 'table.csv', lines(), 'a,b\n1,2\n', 'text/csv'],
  ['what no ending tells', 'thing', ['x', 'y'], 'xy', 'application/octet-stream'],
])('keeps %s', async (_, name, content, text, mediaType) => {
  await files.write(name, content)
  expect(await files.list()).toEqual([{ name, mediaType, bytes: text.length }])
  expect(new TextDecoder().decode(await files.read(name))).toBe(text)
  expect(await readdir(directory)).toEqual([])
})

it('keeps the media type that it is told, and the last of a name', async () => {
  await files.write('a', 'first')
  await files.write('a', 'second', { mediaType: 'text/x-notes' })
  expect(await files.list()).toEqual([{ name: 'a', mediaType: 'text/x-notes', bytes: 6 }])
})

it('writes side by side', async () => {
  const names = Array.from({ length: 20 }, (_, index) => `part-${index}`)
  await Promise.all(names.map((name) => files.write(name, name)))
  const texts = await Promise.all(names.map(async (name) => new TextDecoder().decode(await files.read(name))))
  expect(texts).toEqual(names)
})

it.each(['', '.', '..', '.hidden', '../up', 'a/b', 'a\\b', 'a b', 'ü', 'a\n', '\0', 'x'.repeat(129), null])(
  'refuses the name %j',
  async (name) => {
    await expect(files.write(name as string, 'x')).rejects.toThrow(TypeError)
    await expect(files.read(name as string)).rejects.toThrow(TypeError)
    expect(host.files.size).toBe(0)
  },
)

it('refuses a media type that is none, and a file that is not there', async () => {
  await expect(files.write('a', 'x', { mediaType: 'text' })).rejects.toThrow(/"mediaType" must be/)
  await expect(files.write('a', 'x', { mediaType: 'text/csv; charset=utf-8' })).rejects.toThrow(TypeError)
  await expect(files.read('a')).rejects.toThrow('The job has no file "a".')
})

it('leaves nothing where the content fails', async () => {
  async function* broken(): AsyncGenerator<string> {
    yield 'begun'
    throw new Error('broken off')
  }
  await expect(files.write('a', broken())).rejects.toThrow('broken off')
  expect([host.files.size, await readdir(directory)]).toEqual([0, []])
})
