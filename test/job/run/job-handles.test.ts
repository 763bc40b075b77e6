import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Type } from '@sinclair/typebox'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createOnnxNodeEngine } from '../../../adapters/onnx-node/engine.ts'
import { defineAction } from '../../../runtime/define/action.ts'
import { defineFunction } from '../../../runtime/define/function.ts'
import type { FunctionHandle, HandleOptions, OpenHandle } from '../../../runtime/define/handle.ts'
import { defineInference } from '../../../runtime/define/inference.ts'
import { multiplexed, onnx } from '../../../runtime/define/model.ts'
import { tensor } from '../../../runtime/engine/tensor.ts'
import { createJobHandles, openJobHandles } from '../../../runtime/job/run/job-handles.ts'
import { createLogger } from '../../../runtime/observe/log.ts'
import type { FunctionHandles } from '../../../runtime/runner/function-handles.ts'
import { headOf } from '../../replica/request-head.ts'
import { addConstantModel } from '../../support/onnx-models.ts'
import { MemoryHost } from './memory-host.ts'

let directory: string
let host: MemoryHost
let lines: string[]
let handles: FunctionHandles
let modelId: string | null
const { signal } = new AbortController()

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'isoplex-handles-'))
  await writeFile(join(directory, 'model.onnx'), addConstantModel(5))
  lines = []
  modelId = null
  host = new MemoryHost({ five: directory, broken: join(directory, 'nowhere') })
  handles = openHandles()
})
afterEach(async () => {
  await handles.dispose()
  await rm(directory, { recursive: true })
})

function openHandles(): FunctionHandles {
  return createJobHandles({
    prepareModel: (id) => host.prepareModel(id),
    engine: createOnnxNodeEngine(),
    log: createLogger({ write: (line) => lines.push(line) }),
    fetchInput: () => Promise.reject(new Error('Nothing is fetched here.')),
    modelId,
  })
}

const adding = defineInference({
  name: 'adding',
  input: Type.Object({ x: Type.Number() }),
  output: Type.Object({ y: Type.Number({ maximum: 100 }), of: Type.Integer() }),
  model: onnx({ inputs: ['x'], outputs: ['y'] }),
  batch: { maxSize: 4, maxDelayMs: 0 },
  async infer(inputs, { model }) {
    const x = Float32Array.from(inputs, (input) => input.x)
    const { y } = await model.run({ x: tensor('float32', x, [x.length]) })
    const values = [...y.toArray()].map(Number)
    return values.map((value) => (value === 12 ? new Error('Not seven.') : { y: value, of: inputs.length }))
  },
})

type OpenAny = (fn: unknown, options?: HandleOptions) => FunctionHandle<unknown, unknown>

const order = { function: 'act', head: headOf({ requestId: 'job_1', principal: 'tenant:a' }) }
const openIn = (signal: AbortSignal): OpenAny =>
  openJobHandles(handles, order, signal) as OpenHandle as OpenAny
const open = (fn: unknown, model?: string): FunctionHandle<unknown, unknown> =>
  openIn(signal)(fn, model === undefined ? {} : { model })

async function* inputs(count: number): AsyncGenerator<unknown> {
  for (let x = 0; x < count; x += 1) yield { x }
}

it('answers one input, and many in the batches of the function', async () => {
  const handle = open(adding, 'five')
  expect(await handle.infer({ x: 1 })).toEqual({ y: 6, of: 1 })
  const answers = await Array.fromAsync(handle.inferAll(inputs(6)))
  expect(answers).toEqual([5, 6, 7, 8, 9, 10].map((y, index) => ({ y, of: index < 4 ? 4 : 2 })))
})

it('loads a function once for each model, however many handles there are', async () => {
  host = new MemoryHost({ five: directory, other: directory })
  handles = openHandles()
  const opened = ['five', 'other', 'five'].map((model) => open(adding, model))
  await Promise.all(opened.flatMap((handle) => [handle.infer({ x: 1 }), handle.infer({ x: 2 })]))
  expect(host.asked).toEqual(['prepare five', 'prepare other'])
})

describe('the model that answers', () => {
  const named = defineInference({
    input: Type.Object({ x: Type.Number() }),
    model: multiplexed(({ id }) => id, { default: 'default' }),
    infer: (_, { model }) => model,
  })
  const unnamed = defineInference({
    name: 'unnamed',
    input: Type.Object({ x: Type.Number() }),
    model: multiplexed(({ id }) => id),
    infer: (_, { model }) => model,
  })

  it('is the one that is named, else that of the token, else the default', async () => {
    const models = { chosen: directory, token: directory, default: directory }
    host = new MemoryHost(models)
    handles = openHandles()
    expect(await open(named).infer({ x: 1 })).toBe('default')
    expect(() => open(unnamed)).toThrow(
      '"model" must be given: neither the job\'s token nor "unnamed" names one.',
    )
    modelId = 'token'
    handles = openHandles()
    expect(await open(named).infer({ x: 1 })).toBe('token')
    expect(await open(named, 'chosen').infer({ x: 1 })).toBe('chosen')
  })
})

it('calls functions without a model, with their defaults and without touching what they are given', async () => {
  const greet = defineFunction({
    input: Type.Object({ name: Type.String(), mark: Type.String({ default: '!' }) }),
    handler: ({ input, principal }) => `${input.name}${input.mark} ${principal}`,
  })
  const input = Object.freeze({ name: 'Ada' })
  expect(await open(greet).infer(input)).toBe('Ada! tenant:a')
  expect(() => open(greet, 'five')).toThrow(/"model" names the model of a function without one/)
  expect(host.asked).toEqual([])
})

it('refuses what does not fit, in its place', async () => {
  const handle = open(adding, 'five')
  await expect(handle.infer({ x: 'one' })).rejects.toMatchObject({ code: 'INPUT_INVALID' })
  await expect(handle.infer({ x: 200 })).rejects.toMatchObject({ code: 'OUTPUT_INVALID' })
  await expect(handle.infer({ x: 7 })).rejects.toThrow('Not seven.')
  const seen: unknown[] = []
  const read = async (values: readonly unknown[]): Promise<void> => {
    for await (const answer of handle.inferAll(values)) seen.push(answer)
  }
  await expect(read([{ x: 0 }, {}, { x: 1 }])).rejects.toMatchObject({ code: 'INPUT_INVALID' })
  await expect(read([{ x: 2 }, { x: 7 }])).rejects.toThrow('Not seven.')
  expect(seen).toEqual([
    { y: 5, of: 2 },
    { y: 7, of: 2 },
  ])
})

it('holds each item of a stream to the schema', async () => {
  const streaming = defineFunction({
    output: Type.Number(),
    async *handler() {
      yield 1
      yield 'two' as unknown as number
    },
  })
  const stream = (await open(streaming).infer(undefined)) as AsyncIterable<unknown>
  await expect(Array.fromAsync(stream)).rejects.toMatchObject({ code: 'OUTPUT_INVALID' })
})

it('has a function with a model answer one call at a time', async () => {
  let running = 0
  let most = 0
  const lonely = defineInference({
    input: Type.Integer(),
    model: multiplexed(() => null),
    async infer(input) {
      running += 1
      most = Math.max(most, running)
      await new Promise((resolve) => setImmediate(resolve))
      running -= 1
      return input
    },
  })
  const handle = open(lonely, 'five')
  expect(await Promise.all([1, 2, 3].map((input) => handle.infer(input)))).toEqual([1, 2, 3])
  expect(most).toBe(1)
})

it('says whose model did not load, keeps no path, and tries again', async () => {
  const handle = open(adding, 'broken')
  const failure = await handle.infer({ x: 1 }).catch((error: unknown) => error)
  expect(failure).toMatchObject({ code: 'MODEL_BROKEN', details: { model: 'broken' } })
  expect(String(failure)).not.toContain(directory)
  expect(lines.join('')).toContain('A function could not be loaded')
  await expect(open(adding, 'absent').infer({ x: 1 })).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' })
  await expect(handle.infer({ x: 1 })).rejects.toMatchObject({ code: 'MODEL_BROKEN' })
  expect(host.asked).toEqual(['prepare broken', 'prepare absent', 'prepare broken'])
})

it('calls nothing once the job is to end', async () => {
  const handle = openIn(AbortSignal.abort(new Error('It is over.')))(adding, { model: 'five' })
  await expect(handle.infer({ x: 1 })).rejects.toThrow('It is over.')
  expect(host.asked).toEqual([])
})

it('frees everything, whatever fails', async () => {
  const freed: string[] = []
  const make = (name: string, fails: boolean) =>
    defineFunction({
      setup: () => name,
      teardown: (state) => {
        if (fails) throw new Error('It does not come down.')
        freed.push(state)
      },
      handler: ({ state }) => state,
    })
  for (const fn of [make('a', false), make('b', true), make('c', false)]) await open(fn).infer(undefined)
  await handles.dispose()
  expect(freed).toEqual(['a', 'c'])
  expect(lines.join('')).toContain('It does not come down.')
})

it.each([
  [
    'an action',
    defineAction({ execute: () => 1 }),
    'handle() takes no action: an action is a job of its own.',
  ],
  ['nothing of ours', { answer: () => 1 }, /what defineFunction, defineInference or defineGraph has made/],
])('refuses %s', (_, fn, message) => {
  expect(() => open(fn)).toThrow(message)
  expect(() => open(fn)).toThrow(TypeError)
})
