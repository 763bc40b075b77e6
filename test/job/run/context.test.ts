import { join } from 'node:path'
import { Type } from '@sinclair/typebox'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { defineAction } from '../../../runtime/define/action.ts'
import { defineFunction } from '../../../runtime/define/function.ts'
import { defineStep } from '../../../runtime/define/step.ts'
import { tensor } from '../../../runtime/engine/tensor.ts'
import { IsoplexError } from '../../../runtime/error/error.ts'
import { JobWorkshop } from './job-workshop.ts'

let workshop: JobWorkshop

beforeEach(async () => {
  workshop = await JobWorkshop.make()
})
afterEach(() => workshop[Symbol.asyncDispose]())

it('reaches models: metadata, files, sessions', async () => {
  const action = defineAction({
    execute: async ({ getModel, loadModel, downloadModel, session, directory: scratch }) => {
      const copy = await downloadModel('five')
      const { y } = await (await session('five')).run({ x: tensor('float32', Float32Array.of(1), [1]) })
      return [
        (await getModel('five')).note,
        (await loadModel('five')).path === workshop.model,
        copy.startsWith(scratch) && (await Bun.file(join(copy, 'model.onnx')).exists()),
        y?.item(),
      ]
    },
  })
  await workshop.run(action)
  expect(JSON.parse(workshop.host.result ?? '')).toEqual(['as the backend says', true, true, 6])
})

it('says which model does not load, and no path', async () => {
  await workshop.run(defineAction({ execute: ({ session }) => session('five', { file: 'other.onnx' }) }))
  expect(workshop.host.end?.error).toMatchObject({ code: 'MODEL_BROKEN', details: { model: 'five' } })
  expect(workshop.host.end?.error?.message).not.toContain(workshop.directory)
})

it('infers by its own infer, and reports how far it is where it is told how many there are', async () => {
  const sizes: number[] = []
  const action = defineAction({
    batchSize: 4,
    infer: (inputs: readonly number[], { jobId }) => {
      sizes.push(inputs.length)
      return inputs.map((input) => `${jobId} ${input}`)
    },
    execute: ({ infer }) => Array.fromAsync(infer([1, 2, 3, 4, 5], { total: 5 })),
  })
  await workshop.run(action)
  expect(JSON.parse(workshop.host.result ?? '')).toHaveLength(5)
  expect(sizes).toEqual([4, 1])
  expect(workshop.host.reports.at(-1)?.progress).toMatchObject({
    overall: 80,
    categories: { inference: { current: 5, total: 5, percent: 100 } },
  })
})

it('infers by another function', async () => {
  const half = defineFunction({ input: Type.Number(), handler: ({ input }) => input / 2 })
  const action = defineAction({
    progress: { halving: 1 },
    execute: ({ infer, handle }) => Array.fromAsync(infer([1, 2], { handle: handle(half), total: 2 })),
  })
  await workshop.run(action)
  expect(workshop.host.result).toBe('[0.5,1]')
  expect(workshop.host.reports.at(-1)?.progress?.categories).toHaveProperty('halving')
})

it('stops inferring when the job is to end', async () => {
  let inferred = 0
  const action = defineAction({
    infer: (inputs: readonly number[]) => {
      inferred += 1
      if (inferred === 3) workshop.ending.abort(new IsoplexError('CANCELLED', 'Enough.'))
      return inputs
    },
    execute: ({ infer }) => Array.fromAsync(infer(Array(100).fill(0))),
  })
  await workshop.run(action)
  expect([workshop.host.end?.state, inferred]).toEqual(['cancelled', 3])
})

it('reports all that the action tells before the job ends', async () => {
  const action = defineAction({
    execute: ({ log, logMessage, setMetrics, setProgress }) => {
      log('begun', { at: 1 })
      logMessage('Careful.', 'warning')
      setMetrics({ loss: 1 })
      setProgress(1, 4, 'model_load')
      setProgress(1, 2)
    },
  })
  await workshop.run(action, { metrics: { inference: { size: 2 } } })
  expect(workshop.host.events.map(({ kind, data }) => [kind, data])).toEqual([
    ['log', { event: 'begun', data: { at: 1 } }],
    ['message', { level: 'warning', message: 'Careful.' }],
    ['metrics', { category: 'inference', values: { loss: 1 } }],
  ])
  expect(workshop.host.reports.at(-1)).toMatchObject({
    progress: { overall: 42.5, current: 'inference' },
    metrics: { inference: { size: 2, loss: 1 } },
  })
})

it('goes on from its checkpoint, keeps files and fetches', async () => {
  const action = defineAction({
    execute: async ({ checkpoint, files, fetchInput }) => {
      const before = checkpoint.value
      await checkpoint.save({ done: 2 })
      await files.write('a.txt', 'kept')
      const { bytes } = await fetchInput('https://example.com/')
      return [before, checkpoint.value, new TextDecoder().decode(bytes), await files.list()]
    },
  })
  await workshop.run(action, { checkpoint: { done: 1 } })
  expect(JSON.parse(workshop.host.result ?? '')).toEqual([
    { done: 1 },
    { done: 2 },
    'https://example.com/',
    [{ name: 'a.txt', mediaType: 'text/plain', bytes: 4 }],
  ])
})

it('refuses impossible progress while developing, and corrects it in production', async () => {
  const action = defineAction({ execute: ({ setProgress }) => setProgress(3, 2, 'inference') })
  await workshop.run(action)
  expect(workshop.host.end).toMatchObject({ state: 'failed', error: { code: 'PROGRESS_INVALID' } })
  await workshop.run(action, { strict: false })
  expect(workshop.host.end?.state).toBe('succeeded')
  expect(workshop.lines.join('')).toContain('Impossible progress')
})

it('reports about the step that runs where it is told nothing else', async () => {
  const halving = defineStep({
    name: 'halving',
    execute: async ({ infer, handle, setMetrics, results }) => {
      const half = defineFunction({ input: Type.Number(), handler: ({ input }) => input / 2 })
      results.push(...(await Array.fromAsync(infer([4, 8], { handle: handle(half), total: 2 }))))
      setMetrics({ halved: 2 })
    },
  })
  await workshop.run(
    defineAction({ steps: [halving, defineStep({ name: 'other', execute: () => undefined })] }),
  )
  expect(JSON.parse(workshop.host.result ?? '')).toMatchObject({ results: [2, 4] })
  const { reports } = workshop.host
  expect(reports.at(-1)).toMatchObject({ progress: { categories: { halving: { current: 2, total: 2 } } } })
  expect(reports.flatMap(({ metrics }) => metrics ?? [])).toEqual([{ halving: { halved: 2 } }])
})
