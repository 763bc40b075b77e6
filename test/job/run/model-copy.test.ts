import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { copyModel } from '../../../runtime/job/run/model-copy.ts'

let directory: string
let source: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'isoplex-copy-'))
  source = join(directory, 'source')
  await mkdir(join(source, 'data'), { recursive: true })
  await writeFile(join(source, 'model.onnx'), 'graph')
  await writeFile(join(source, 'data/weights'), 'numbers')
})
afterEach(() => rm(directory, { recursive: true }))

it('copies into a new folder of its own where none is named', async () => {
  const first = await copyModel(source, { directory: undefined, scratch: directory })
  const second = await copyModel(source, { directory: undefined, scratch: directory })
  expect([dirname(first), dirname(second)]).toEqual([directory, directory])
  expect(first).not.toBe(second)
  expect(await readFile(join(second, 'data/weights'), 'utf8')).toBe('numbers')
})

it('copies into a folder that is named, and the copy may be written to', async () => {
  const target = join(directory, 'deep/target')
  expect(await copyModel(source, { directory: target, scratch: directory })).toBe(target)
  await writeFile(join(target, 'model.onnx'), 'changed')
  expect(await readFile(join(source, 'model.onnx'), 'utf8')).toBe('graph')
})

it('takes a relative folder as one in the scratch folder', async () => {
  expect(await copyModel(source, { directory: 'named', scratch: directory })).toBe(join(directory, 'named'))
})
