import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { ContentShelf } from '../../runtime/job/content/content-shelf.ts'
import { writeChunks } from '../../runtime/model/durable-file.ts'
import { createScratch, type Scratch } from '../model/scratch.ts'

/** A shelf that a test opens, on an empty place. */
export interface OpenShelf extends AsyncDisposable {
  readonly shelf: ContentShelf
  /** The body of an asynchronous function that opens it in another process. */
  readonly code: string
}

const mebibyte = 1_048_576

/** Holds a shelf to what every shelf does. To be called within a `describe`. */
export function describeContentShelf(openShelf: (scratch: Scratch) => Promise<OpenShelf>): void {
  let scratch: Scratch
  let opened: OpenShelf
  let shelf: ContentShelf
  beforeAll(async () => {
    scratch = await createScratch()
    opened = await openShelf(scratch)
    shelf = opened.shelf
  })
  afterAll(async () => {
    await opened[Symbol.asyncDispose]()
    await scratch[Symbol.asyncDispose]()
  })

  async function readWhole(key: string): Promise<Uint8Array> {
    return shelf.read(key, 0, Number.MAX_SAFE_INTEGER)
  }

  it.each([0, 1, mebibyte - 1, mebibyte, mebibyte + 1, 3 * mebibyte, 9 * mebibyte + 7])(
    'gives back %d bytes as they were, from bytes and from a file',
    async (length) => {
      const bytes = patternOf(length)
      const path = await scratch.write('source', bytes)
      await shelf.put({ bytes }, 'job_a/bytes')
      await shelf.put({ path }, 'job_a/file')
      for (const key of ['job_a/bytes', 'job_a/file']) {
        expect(same(await readWhole(key), bytes)).toBe(true)
        await shelf.fetch(key, scratch.path('fetched'))
        expect(same(await readFile(scratch.path('fetched')), bytes)).toBe(true)
      }
      expect(same(await readFile(path), bytes)).toBe(true)
    },
  )

  it('gives any piece, shorter at the end and empty behind it', async () => {
    const bytes = patternOf(2 * mebibyte + 10)
    await shelf.put({ bytes }, 'job_b/pieces')
    const edges = [0, 1, mebibyte - 1, mebibyte, mebibyte + 1, 2 * mebibyte, 2 * mebibyte + 9]
    for (const offset of [...edges, 2 * mebibyte + 10, 5 * mebibyte]) {
      for (const length of [1, 2, mebibyte, mebibyte + 2, 4 * mebibyte]) {
        const piece = await shelf.read('job_b/pieces', offset, length)
        expect(same(piece, bytes.subarray(offset, offset + length)), `${length} from ${offset} on`).toBe(true)
        expect(piece.buffer.byteLength).toBe(piece.byteLength)
      }
    }
  })

  it('takes only its part of a larger buffer', async () => {
    const bytes = patternOf(100)
    await shelf.put({ bytes: bytes.subarray(10, 20) }, 'job_b/view')
    expect(await readWhole('job_b/view')).toEqual(bytes.slice(10, 20))
  })

  it('replaces a content, be it longer or shorter', async () => {
    for (const length of [3 * mebibyte, 5, 2 * mebibyte, 0]) {
      await shelf.put({ bytes: patternOf(length) }, 'job_c/again')
      expect(same(await readWhole('job_c/again'), patternOf(length))).toBe(true)
    }
  })

  it('keeps what it has when a file that it fetched before is written to, or fetched over', async () => {
    const path = await scratch.write('work/report', 'first')
    await shelf.put({ path }, 'job_d/first')
    await shelf.put({ bytes: new TextEncoder().encode('second') }, 'job_d/second')
    await shelf.fetch('job_d/second', path)
    expect(await readFile(path, 'utf8')).toBe('second')
    await writeFile(path, 'changed')
    expect(textOf(await readWhole('job_d/first'))).toBe('first')
    expect(textOf(await readWhole('job_d/second'))).toBe('second')
    await shelf.fetch('job_d/first', path)
    expect(await readFile(path, 'utf8')).toBe('first')
  })

  it('removes contents, and is content where there are none', async () => {
    const bytes = patternOf(3 * mebibyte)
    for (const name of ['one', 'two', 'three']) await shelf.put({ bytes }, `job_e/${name}`)
    await shelf.remove(['job_e/one', 'job_e/two', 'job_e/never', 'job_none/never'])
    await shelf.remove([])
    for (const name of ['one', 'two', 'never']) {
      await expect(shelf.read(`job_e/${name}`, 0, 10)).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' })
      const fetched = shelf.fetch(`job_e/${name}`, scratch.path('none'))
      await expect(fetched).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' })
    }
    await expect(stat(scratch.path('none'))).rejects.toMatchObject({ code: 'ENOENT' })
    expect(same(await readWhole('job_e/three'), bytes)).toBe(true)
    await shelf.remove(['job_e/three'])
    await shelf.put({ bytes: patternOf(1) }, 'job_e/one')
    expect(await readWhole('job_e/one')).toEqual(patternOf(1))
  })

  it.each([
    '',
    '.',
    '..',
    '../out',
    'job/../../out',
    '/etc/passwd',
    'job/',
    '/job',
    'job//input',
    'job/./input',
    'job\\..\\out',
    'job/in put',
    'job/input\n',
    'job/input\0',
    'job/%2e%2e',
    'job/ä',
    `job/${'a'.repeat(129)}`,
    Array.from({ length: 300 }, () => 'a').join('/'),
  ])('refuses the key %j', async (key) => {
    const bytes = patternOf(1)
    await expect(shelf.put({ bytes }, key)).rejects.toThrow(TypeError)
    await expect(shelf.read(key, 0, 1)).rejects.toThrow(TypeError)
    await expect(shelf.fetch(key, scratch.path('out'))).rejects.toThrow(TypeError)
    await expect(shelf.remove(['job', key])).rejects.toThrow(TypeError)
  })

  it('lists what was put longer ago, with what was replaced only once', async () => {
    for (const key of ['job_f/a', 'job_f/b/c']) await shelf.put({ bytes: patternOf(2 * mebibyte) }, key)
    await shelf.put({ bytes: patternOf(1) }, 'job_f/a')
    expect(await listed(shelf, 3_600_000)).toEqual([])
    // Some stores count whole seconds only: what was put just now is older than one that is to come.
    const all = await listed(shelf, -5_000)
    expect(all.filter((key) => key.startsWith('job_f'))).toEqual(['job_f/a', 'job_f/b/c'])
    await shelf.remove(all)
    expect(await listed(shelf, -5_000)).toEqual([])
  })

  it('puts and fetches 192 MB with a fraction of it in memory', { timeout: 60_000 }, async () => {
    const [path, copy] = [scratch.path('large'), scratch.path('copy')]
    const block = patternOf(mebibyte)
    await writeChunks(path, repeat(block, 192))
    // In a process of its own, whose memory no other test uses.
    const code = `const shelf = await (async () => { ${opened.code} })()
      Bun.gc(true)
      const before = process.memoryUsage.rss()
      let most = before
      setInterval(() => { most = Math.max(most, process.memoryUsage.rss()) }, 5)
      await shelf.put({ path: ${JSON.stringify(path)} }, 'job_g/large')
      await shelf.fetch('job_g/large', ${JSON.stringify(copy)})
      console.log(most - before)
      process.exit()`
    const child = Bun.spawn([process.execPath, '-e', code], { stdout: 'pipe', stderr: 'inherit' })
    expect(Number(await new Response(child.stdout).text())).toBeLessThan(128 * mebibyte)
    expect(await child.exited).toBe(0)
    expect((await stat(copy)).size).toBe(192 * mebibyte)
    expect(same(await shelf.read('job_g/large', 191 * mebibyte, 2 * mebibyte), block)).toBe(true)
    await shelf.remove(['job_g/large'])
    await Promise.all([rm(path), rm(copy)])
  })

  it('refuses a source that is no file, and leaves nothing', async () => {
    await mkdir(scratch.path('folder'), { recursive: true })
    for (const path of [scratch.path('folder'), scratch.path('missing')]) {
      await expect(shelf.put({ path }, 'job_h/wrong')).rejects.toThrow()
      await expect(shelf.read('job_h/wrong', 0, 1)).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' })
    }
    expect((await listed(shelf, -5_000)).filter((key) => key.startsWith('job_h'))).toEqual([])
  })
}

/** Bytes of which each place has its own. */
export function patternOf(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at += 1) bytes[at] = (at * 31 + (at >> 8) * 7 + (at >> 16)) & 255
  return bytes
}

/** All keys that a shelf lists, sorted. */
export async function listed(shelf: ContentShelf, ageMs: number): Promise<readonly string[]> {
  return (await Array.fromAsync(shelf.listOlderThan(ageMs))).flat().toSorted()
}

function same(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}

async function* repeat(block: Uint8Array, times: number): AsyncGenerator<Uint8Array> {
  for (let count = 0; count < times; count += 1) yield block
}
