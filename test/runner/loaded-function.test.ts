import { Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import type { FunctionLog, ModelInfo } from '../../runtime/define/context.ts'
import type { Definition } from '../../runtime/define/definition.ts'
import { defineFunction } from '../../runtime/define/function.ts'
import { defineInference } from '../../runtime/define/inference.ts'
import { multiplexed, onnx } from '../../runtime/define/model.ts'
import { createOutboundPolicy } from '../../runtime/network/policy.ts'
import { createInputFetch } from '../../runtime/replica/fetched-input.ts'
import { type LoadedFunction, loadFunction } from '../../runtime/runner/loaded-function.ts'
import { createPlainEngine, type PlainEngine } from '../define/engine.ts'
import { noHandles } from './call-source.ts'

const info = { id: 'loud', version: '1', path: '/models/loud' }
const engine = (): PlainEngine =>
  createPlainEngine({ '/models/loud/model.onnx': { inputs: [], outputs: [], compute: () => ({}) } })

/** Loads a function; what it logs as an error goes into `errors`. */
function load(
  definition: Definition,
  model: ModelInfo | null = info,
  errors: unknown[] = [],
  plain = engine(),
): Promise<LoadedFunction> {
  const silent = (): void => undefined
  const log: FunctionLog = {
    debug: silent,
    info: silent,
    warn: silent,
    error: (message, fields) => void errors.push([message, fields]),
  }
  const fetchInput = createInputFetch(createOutboundPolicy([]))
  return loadFunction({
    name: 'shout',
    definition,
    model,
    engine: plain,
    log,
    fetchInput,
    openHandle: noHandles,
  })
}

/** A definition that notes what is done to it, and fails where it is told to. */
function noting(fails: readonly string[] = [], warmup: readonly string[] = []) {
  const notes: string[] = []
  const step = (name: string): void => {
    notes.push(name)
    if (fails.includes(name)) throw new Error(`${name} failed`)
  }
  const definition = defineInference({
    input: Type.String(),
    setup: () => step('setup'),
    model: multiplexed(() => step('load'), { unload: () => step('unload') }),
    warmup,
    infer: (input) => step(`infer ${input}`),
    teardown: () => step('teardown'),
  })
  return { notes, definition }
}

describe('loadFunction', () => {
  it('sets up, loads and warms up, in that order', async () => {
    const { notes, definition } = noting([], ['a', 'b'])
    const errors: unknown[] = []
    await load(definition, info, errors)
    expect(notes).toEqual(['setup', 'load', 'infer a', 'infer b'])
    expect(errors).toEqual([])
  })

  it('gives what the calls share', async () => {
    const model = { shout: 1 }
    const definition = defineInference({
      input: Type.String(),
      setup: async ({ name }) => ({ from: name }),
      model: multiplexed(async (given) => (given === info ? model : null)),
      infer: () => null,
    })
    const { facts } = await load(definition)
    expect(facts).toMatchObject({ state: { from: 'shout' }, modelInfo: info })
    expect(facts.model).toBe(model)
    expect(await facts.getModel()).toBe(model)
  })

  it('loads a model by the engine, and frees its session', async () => {
    const plain = engine()
    const definition = defineInference({ input: Type.String(), model: onnx(), infer: () => null })
    const loaded = await load(definition, info, [], plain)
    expect(loaded.facts.model).toMatchObject({ provider: 'cpu' })
    expect(plain.disposals).toEqual([0])
    await loaded.dispose()
    expect(plain.disposals).toEqual([1])
  })

  it('loads no model for a function without one', async () => {
    const { facts, dispose } = await load(defineFunction({ setup: () => 5, handler: () => null }), null)
    expect(facts).toMatchObject({ state: 5, model: undefined, modelInfo: { id: '', version: '', path: '' } })
    await dispose()
  })

  it('warms up with the state, the model and a request of its own', async () => {
    const seen: unknown[] = []
    const definition = defineInference({
      input: Type.String(),
      setup: () => 'state',
      model: multiplexed(() => 'model'),
      warmup: ['a'],
      infer(input, { state, model, modelId, requestId, signal }) {
        seen.push([input, state, model, modelId, requestId, signal.aborted])
      },
    })
    await load(definition)
    expect(seen).toEqual([['a', 'state', 'model', 'loud', 'warmup', false]])
  })

  it('warms up by batches of one where requests are gathered', async () => {
    const sizes: number[] = []
    const definition = defineInference({
      input: Type.String(),
      model: multiplexed(() => null),
      batch: { maxSize: 8, maxDelayMs: 0 },
      warmup: ['a', 'b'],
      infer(inputs) {
        sizes.push(inputs.length)
        return [...inputs]
      },
    })
    await load(definition)
    expect(sizes).toEqual([1, 1])
  })

  it('reads the stream of a warm-up, which computes nothing before', async () => {
    let made = 0
    const definition = defineInference({
      input: Type.String(),
      model: multiplexed(() => null),
      warmup: ['a'],
      async *infer() {
        for (; made < 3; made += 1) yield made
      },
    })
    await load(definition)
    expect(made).toBe(3)
  })

  it.each([
    ['setup', [], ['setup']],
    ['load', [], ['setup', 'load', 'teardown']],
    ['infer a', ['a'], ['setup', 'load', 'infer a', 'unload', 'teardown']],
  ] as const)('that fails in %s frees what had come up, and tells why', async (fails, warmup, expected) => {
    const { notes, definition } = noting([fails], warmup)
    await expect(load(definition)).rejects.toThrow(`${fails} failed`)
    expect(notes).toEqual(expected)
  })

  it('tells its own reason, and logs what it could not free', async () => {
    const { notes, definition } = noting(['load', 'teardown'])
    const errors: unknown[] = []
    await expect(load(definition, info, errors)).rejects.toThrow('load failed')
    expect(notes).toEqual(['setup', 'load', 'teardown'])
    expect(errors).toEqual([
      ['A function could not be taken down', { function: 'shout', error: new Error('teardown failed') }],
    ])
  })
})

describe('a loaded function', () => {
  it('frees its model, then its state, once, however often it is told', async () => {
    const { notes, definition } = noting()
    const loaded = await load(definition)
    await Promise.all([loaded.dispose(), loaded.dispose()])
    await loaded.dispose()
    expect(notes).toEqual(['setup', 'load', 'unload', 'teardown'])
  })

  it('frees its state even where its model cannot be freed, and says so', async () => {
    const { notes, definition } = noting(['unload'])
    const loaded = await load(definition)
    await expect(loaded.dispose()).rejects.toThrow('unload failed')
    expect(notes).toEqual(['setup', 'load', 'unload', 'teardown'])
  })

  it('hands `teardown` the state', async () => {
    const torn: unknown[] = []
    const state = { open: true }
    const definition = defineFunction({
      setup: () => state,
      teardown: (held) => void torn.push(held),
      handler: () => null,
    })
    await (await load(definition, null)).dispose()
    expect(torn).toEqual([state])
  })
})
