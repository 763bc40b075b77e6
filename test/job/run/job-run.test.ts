import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Type } from '@sinclair/typebox'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createOnnxNodeEngine } from '../../../adapters/onnx-node/engine.ts'
import { defineAction } from '../../../runtime/define/action.ts'
import type { Definition } from '../../../runtime/define/definition.ts'
import { defineFunction } from '../../../runtime/define/function.ts'
import { defineStep } from '../../../runtime/define/step.ts'
import { tensor } from '../../../runtime/engine/tensor.ts'
import { IsoplexError } from '../../../runtime/error/error.ts'
import type { ActionOrder } from '../../../runtime/job/message.ts'
import { runJob } from '../../../runtime/job/run/job-run.ts'
import { createLogger } from '../../../runtime/observe/log.ts'
import { addConstantModel } from '../../support/onnx-models.ts'
import { actionOrder } from './action-order.ts'
import { MemoryHost } from './memory-host.ts'

let directory: string
let model: string
let host: MemoryHost
let lines: string[]
let ending: AbortController
let mishap: PromiseWithResolvers<never>

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'isoplex-job-'))
  model = join(directory, 'five')
  await mkdir(model)
  await writeFile(join(model, 'model.onnx'), addConstantModel(5))
  host = new MemoryHost({ five: model })
  lines = []
  ending = new AbortController()
  mishap = Promise.withResolvers<never>()
  mishap.promise.catch(() => undefined)
})
afterEach(() => rm(directory, { recursive: true }))

async function run(
  definition: Definition,
  { params = {}, ...changed }: Partial<ActionOrder> & { readonly params?: unknown } = {},
): Promise<void> {
  const order = { ...(await actionOrder(directory, params)), ...changed }
  await runJob({
    order,
    load: async () => definition,
    host,
    engine: createOnnxNodeEngine(),
    fetchInput: async (url) => ({ bytes: new TextEncoder().encode(url), mediaType: 'text/plain', url }),
    log: createLogger({ write: (line) => lines.push(line) }),
    signal: ending.signal,
    mishap: mishap.promise,
  })
}

describe('an action without steps', () => {
  it('gets its parameters as a runner reads them, and gives its result', async () => {
    const action = defineAction({
      params: Type.Object({ count: Type.Integer(), name: Type.String({ default: 'Ada' }) }),
      result: Type.Object({ text: Type.String() }),
      execute: ({ params, jobId, attempt, principal }) => ({
        text: `${params.name} ${params.count} ${jobId} ${attempt} ${principal}`,
      }),
    })
    await run(action, { params: { count: 3 }, attempt: 2 })
    expect(host.end).toMatchObject({ state: 'succeeded', error: null, result: { form: 'value', count: 1 } })
    expect(host.result).toBe('{"text":"Ada 3 job_test 2 tenant:test"}')
  })

  it('succeeds with nothing where it returns nothing', async () => {
    await run(defineAction({ execute: () => undefined }))
    expect(host.end).toEqual({ state: 'succeeded', error: null, result: null })
  })

  it('streams its result', async () => {
    async function* many(): AsyncGenerator<number> {
      for (let n = 0; n < 3; n += 1) yield n
    }
    await run(defineAction({ result: Type.Number(), execute: () => many() }))
    expect(host.end?.result).toMatchObject({ form: 'lines', count: 3 })
    expect(host.result).toBe('0\n1\n2\n')
  })

  it.each([
    [
      'parameters that do not fit',
      defineAction({ params: Type.Object({ n: Type.Number() }), execute: () => 1 }),
      { code: 'INPUT_INVALID' },
    ],
    [
      'a result that does not fit',
      defineAction({ result: Type.Number(), execute: () => 'x' as unknown as number }),
      { code: 'OUTPUT_INVALID' },
    ],
    [
      'an error of ours',
      defineAction({
        execute: () => {
          throw new IsoplexError('FETCH_FAILED', 'It is gone.', { details: { reason: 'status' } })
        },
      }),
      { code: 'FETCH_FAILED', message: 'It is gone.', details: { reason: 'status' } },
    ],
    ['a function that is no action', defineFunction({ handler: () => 1 }), { code: 'FUNCTION_BROKEN' }],
    [
      'infer without an infer',
      defineAction({ execute: ({ infer }) => infer([]) }),
      { message: 'TypeError: The action has no "infer" of its own; give infer() a "handle".' },
    ],
  ])('fails with %s', async (_, action, error) => {
    await run(action)
    expect(host.end).toMatchObject({ state: 'failed', error, result: null })
  })

  it.each([
    [true, 'Error: The secret is 7.'],
    [false, expect.not.stringContaining('secret')],
  ])('shows what it throws while developing only; the log has it (strict: %s)', async (strict, message) => {
    const action = defineAction({
      execute: () => {
        throw new Error('The secret is 7.')
      },
    })
    await run(action, { strict })
    expect(host.end?.error).toEqual({
      code: 'INTERNAL',
      message,
      step: null,
      rollbackErrors: [],
    })
    expect(lines.join('')).toContain('The secret is 7.')
  })

  it('fails by what is thrown where nobody listens', async () => {
    const action = defineAction({
      execute: () => {
        mishap.reject(new Error('In a timer.'))
        return new Promise(() => undefined)
      },
    })
    await run(action)
    expect(host.end).toMatchObject({ state: 'failed', error: { message: 'Error: In a timer.' } })
  })

  it.each([
    ['CANCELLED', 'cancelled'],
    ['DEADLINE_EXCEEDED', 'failed'],
  ] as const)('that hears %s has %s, whatever it returns or throws', async (code, state) => {
    for (const outcome of [() => 'part', () => Promise.reject(new Error('stopped'))]) {
      ending = new AbortController()
      const action = defineAction({
        execute: async ({ signal }) => {
          ending.abort(new IsoplexError(code, 'It is over.'))
          expect(signal.aborted).toBe(true)
          return outcome()
        },
      })
      await run(action)
      expect(host.end).toMatchObject({ state, error: { code, message: 'It is over.' }, result: null })
    }
  })

  it('ends at once as it was to end, where only that is left', async () => {
    const error = { code: 'CANCELLED', message: 'Over.', step: null, rollbackErrors: [] } as const
    const action = defineAction({ execute: () => expect.unreachable() })
    await run(action, { pendingEnd: { state: 'cancelled', error } })
    expect(host.end).toEqual({ state: 'cancelled', error, result: null })
  })
})

describe('the context', () => {
  it('reaches models: metadata, files, sessions', async () => {
    const action = defineAction({
      execute: async ({ getModel, loadModel, downloadModel, session, directory: scratch }) => {
        const copy = await downloadModel('five')
        const { y } = await (await session('five')).run({ x: tensor('float32', Float32Array.of(1), [1]) })
        return [
          (await getModel('five')).note,
          (await loadModel('five')).path === model,
          copy.startsWith(scratch) && (await Bun.file(join(copy, 'model.onnx')).exists()),
          y?.item(),
        ]
      },
    })
    await run(action)
    expect(JSON.parse(host.result ?? '')).toEqual(['as the backend says', true, true, 6])
  })

  it('says which model does not load, and no path', async () => {
    await run(defineAction({ execute: ({ session }) => session('five', { file: 'other.onnx' }) }))
    expect(host.end?.error).toMatchObject({ code: 'MODEL_BROKEN', details: { model: 'five' } })
    expect(host.end?.error?.message).not.toContain(directory)
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
    await run(action)
    expect(JSON.parse(host.result ?? '')).toHaveLength(5)
    expect(sizes).toEqual([4, 1])
    expect(host.reports.at(-1)?.progress).toMatchObject({
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
    await run(action)
    expect(host.result).toBe('[0.5,1]')
    expect(host.reports.at(-1)?.progress?.categories).toHaveProperty('halving')
  })

  it('stops inferring when the job is to end', async () => {
    let inferred = 0
    const action = defineAction({
      infer: (inputs: readonly number[]) => {
        inferred += 1
        if (inferred === 3) ending.abort(new IsoplexError('CANCELLED', 'Enough.'))
        return inputs
      },
      execute: ({ infer }) => Array.fromAsync(infer(Array(100).fill(0))),
    })
    await run(action)
    expect([host.end?.state, inferred]).toEqual(['cancelled', 3])
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
    await run(action, { metrics: { inference: { size: 2 } } })
    expect(host.events.map(({ kind, data }) => [kind, data])).toEqual([
      ['log', { event: 'begun', data: { at: 1 } }],
      ['message', { level: 'warning', message: 'Careful.' }],
      ['progress', expect.objectContaining({ overall: 42.5, current: 'inference' })],
      ['metrics', { category: 'inference', values: { loss: 1 } }],
    ])
    expect(host.reports.at(-1)?.metrics).toEqual({ inference: { size: 2, loss: 1 } })
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
    await run(action, { checkpoint: { done: 1 } })
    expect(JSON.parse(host.result ?? '')).toEqual([
      { done: 1 },
      { done: 2 },
      'https://example.com/',
      [{ name: 'a.txt', mediaType: 'text/plain', bytes: 4 }],
    ])
  })

  it('refuses impossible progress while developing, and corrects it in production', async () => {
    const action = defineAction({ execute: ({ setProgress }) => setProgress(3, 2, 'inference') })
    await run(action)
    expect(host.end).toMatchObject({ state: 'failed', error: { code: 'PROGRESS_INVALID' } })
    await run(action, { strict: false })
    expect(host.end?.state).toBe('succeeded')
    expect(lines.join('')).toContain('Impossible progress')
  })
})

describe('steps', () => {
  const first = defineStep({
    name: 'first',
    execute: async (context) => {
      context.results.push('one')
      context.setProgress(1, 2)
      await context.checkpoint.save('in first')
      return { data: { saved: context.checkpoint.value } }
    },
  })
  const second = defineStep({
    name: 'second',
    execute: (context) => ({ data: { before: context.checkpoint.value ?? null } }),
  })

  it('run one after the other, with a checkpoint each', async () => {
    await run(defineAction({ steps: [first, second] }))
    expect(host.end).toMatchObject({ state: 'succeeded' })
    expect(host.records.map(({ name, result }) => [name, result.data])).toEqual([
      ['first', { saved: 'in first' }],
      ['second', { before: null }],
    ])
    expect(JSON.parse(host.result ?? '')).toMatchObject({ success: true, results: ['one'] })
  })

  it('go on in the step that was running, with its checkpoint', async () => {
    const order = { runningStep: { name: 'second', attempt: 1 }, checkpoint: 'in second' }
    const timestamp = new Date(0).toISOString()
    const result = { success: true, data: {}, error: null, rollbackData: {}, skipped: false, timestamp }
    await run(defineAction({ steps: [first, second] }), { ...order, steps: [{ name: 'first', result }] })
    expect(host.records.map(({ name, result: { data } }) => [name, data])).toEqual([
      ['second', { before: 'in second' }],
    ])
  })

  it('are rolled back where one fails, or something is thrown where nobody listens', async () => {
    const undone: string[] = []
    const step = (name: string, execute: () => void) =>
      defineStep({ name, execute, rollback: ({ signal }) => void undone.push(`${name} ${signal.aborted}`) })
    const stuck = defineStep({
      name: 'stuck',
      execute: () => {
        mishap.reject(new Error('In a timer.'))
        return new Promise<void>(() => undefined)
      },
    })
    await run(defineAction({ steps: [step('a', () => undefined), stuck] }))
    expect(host.end).toMatchObject({ state: 'failed', error: { code: 'STEP_FAILED', step: 'stuck' } })
    expect(undone).toEqual(['a false'])
  })

  it('are rolled back where the job is cancelled, without a signal that has fired', async () => {
    const undone: unknown[] = []
    const cancelled = defineStep({
      name: 'cancelled',
      execute: () => ending.abort(new IsoplexError('CANCELLED', 'Over.')),
      rollback: ({ signal }) => void undone.push(signal.aborted),
    })
    await run(defineAction({ steps: [cancelled, second] }))
    expect([host.end?.state, undone]).toEqual(['cancelled', [false]])
  })

  it('are rolled back where the result does not fit', async () => {
    const undone: string[] = []
    const step = defineStep({
      name: 'only',
      execute: () => undefined,
      rollback: () => void undone.push('only'),
    })
    await run(
      defineAction({ steps: [step], result: Type.Number(), conclude: () => 'x' as unknown as number }),
    )
    expect(host.end).toMatchObject({ state: 'failed', error: { code: 'OUTPUT_INVALID' } })
    expect(undone).toEqual(['only'])
  })
})

describe('a host', () => {
  it('that cannot take the result makes the job fail', async () => {
    const finish = host.finish
    const tooLarge = new IsoplexError('JOB_TOO_LARGE', 'Too much.', { details: { limitBytes: 1 } })
    Object.assign(host, {
      finish: (end: Parameters<typeof finish>[0]) =>
        end.state === 'succeeded' ? Promise.reject(tooLarge) : finish(end),
    })
    await run(defineAction({ execute: () => 1 }))
    expect(host.end).toMatchObject({ state: 'failed', error: { code: 'JOB_TOO_LARGE' } })
  })

  it('whose lease is lost is told nothing more', async () => {
    const lost = new IsoplexError('LEASE_LOST', 'Another server goes on with it.')
    Object.assign(host, { saveCheckpoint: () => Promise.reject(lost) })
    const action = defineAction({ execute: ({ checkpoint }) => checkpoint.save(1) })
    await expect(run(action)).rejects.toBe(lost)
    expect(host.end).toBeNull()
  })
})
