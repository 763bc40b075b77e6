import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TSchema, Type } from '@sinclair/typebox'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fileValue } from '../../../runtime/define/file-value.ts'
import { file, tensorOf } from '../../../runtime/define/schema.ts'
import { tensor } from '../../../runtime/engine/tensor.ts'
import { createResultWriter } from '../../../runtime/job/run/result-writer.ts'

let directory: string
let ending: AbortController

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'isoplex-result-'))
  ending = new AbortController()
})
afterEach(() => rm(directory, { recursive: true }))

async function write(result: unknown, schema?: TSchema): Promise<{ facts: unknown; text: string | null }> {
  const kept = await createResultWriter({
    schema,
    directory,
    signal: ending.signal,
    maxBytes: 1_000_000_000,
  })(result)
  if (kept === null) return { facts: null, text: null }
  const { path, ...facts } = kept
  return { facts, text: await Bun.file(path).text() }
}

const pixels = fileValue(Uint8Array.of(104, 105), 'image/png')

it.each([
  ['a value', { a: [1, null] }, '{"a":[1,null]}', 'application/json'],
  ['null', null, 'null', 'application/json'],
  [
    'a tensor',
    tensor('float32', Float32Array.of(1, 2), [2]),
    '{"type":"float32","dims":[2],"data":[1,2]}',
    'application/json',
  ],
  ['a file', pixels, 'hi', 'image/png'],
])('writes %s', async (_, result, text, mediaType) => {
  expect(await write(result)).toEqual({ facts: { form: 'value', mediaType, count: 1 }, text })
})

it('writes files and tensors within a value in their JSON forms', async () => {
  const schema = Type.Object({
    picture: file({ mediaTypes: ['image/png'] }),
    scores: tensorOf('float32', [2]),
  })
  const { text } = await write(
    { picture: pixels, scores: tensor('float32', Float32Array.of(1, 2), [2]) },
    schema,
  )
  expect(JSON.parse(text ?? '')).toEqual({
    picture: 'data:image/png;base64,aGk=',
    scores: { type: 'float32', dims: [2], data: [1, 2] },
  })
})

it('writes nothing where there is nothing', async () => {
  expect(await write(undefined)).toEqual({ facts: null, text: null })
  expect(await readdir(directory)).toEqual([])
})

it('refuses what does not fit, and what JSON cannot carry', async () => {
  await expect(write({ n: 'x' }, Type.Object({ n: Type.Number() }))).rejects.toMatchObject({
    code: 'OUTPUT_INVALID',
    details: { issues: [{ path: '/n' }] },
  })
  await expect(write(undefined, Type.Number())).rejects.toMatchObject({ code: 'OUTPUT_INVALID' })
  await expect(write({ n: 1n })).rejects.toThrow(TypeError)
  expect(await readdir(directory)).toEqual([])
})

describe('a stream', () => {
  async function* counting(to: number, done: { read: number } = { read: 0 }): AsyncGenerator<unknown> {
    for (let n = 1; n <= to; n += 1) {
      done.read = n
      yield { n }
    }
  }

  it.each([0, 1, 3])('of %i items is as many lines', async (count) => {
    const { facts, text } = await write(counting(count), Type.Object({ n: Type.Number() }))
    expect(facts).toEqual({ form: 'lines', mediaType: 'application/x-ndjson', count })
    expect(text).toBe(['', '{"n":1}\n', '{"n":2}\n', '{"n":3}\n'].slice(0, count + 1).join(''))
  })

  it('is refused at the first item that does not fit', async () => {
    const done = { read: 0 }
    const writing = write(counting(100, done), Type.Object({ n: Type.Number({ maximum: 2 }) }))
    await expect(writing).rejects.toMatchObject({ code: 'OUTPUT_INVALID' })
    expect([done.read, await readdir(directory)]).toEqual([3, []])
  })

  it('ends with the signal', async () => {
    const done = { read: 0 }
    async function* endless(): AsyncGenerator<number> {
      for (;;) {
        done.read += 1
        if (done.read === 5) ending.abort(new Error('That is enough.'))
        yield done.read
      }
    }
    await expect(write(endless())).rejects.toThrow('That is enough.')
    expect([done.read, await readdir(directory)]).toEqual([5, []])
  })

  it('takes no more memory the longer it is', async () => {
    const marks: number[] = []
    async function* many(): AsyncGenerator<string> {
      for (let n = 0; n < 200_000; n += 1) {
        if (n % 20_000 === 0) {
          Bun.gc(true)
          marks.push(process.memoryUsage().heapUsed)
        }
        yield 'x'.repeat(100)
      }
    }
    expect((await write(many())).facts).toMatchObject({ count: 200_000 })
    expect(marks.at(-1)).toBeLessThan((marks[2] ?? 0) * 1.25 + 1_000_000)
  })
})
