import { Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import { isDefinition } from '../../runtime/define/definition.ts'
import { defineInference } from '../../runtime/define/inference.ts'
import { multiplexed } from '../../runtime/define/model.ts'
import { callOf, patient } from './call.ts'

const input = Type.String()
const model = multiplexed(() => ({ shout: (text: string) => text.toUpperCase() }))
const loaded = { shout: (text: string) => text.toUpperCase() }
const batch = { maxSize: 4, maxDelayMs: 2 }

describe('defineInference', () => {
  it('answers POST and nothing else', () => {
    const definition = defineInference({ input, model, infer: () => null })
    expect(definition.methods).toEqual(['POST'])
    expect(Object.isFrozen(definition.methods)).toBe(true)
  })

  it('makes a frozen definition that keeps the options and hides `infer`', () => {
    const definition = defineInference({ input, model, batch, warmup: ['a'], infer: (inputs) => [...inputs] })
    expect(definition).toMatchObject({ kind: 'inference', model, batch, warmup: ['a'], input })
    expect(definition).not.toHaveProperty('infer')
    expect(isDefinition(definition)).toBe(true)
    expect(Object.isFrozen(definition)).toBe(true)
  })

  it('refuses what JavaScript lets through: no `infer`', () => {
    expect(() => defineInference({ input, model } as never)).toThrow('"infer" must be a function')
  })
})

describe('without a batch', () => {
  it('infers each input with its own context', async () => {
    const definition = defineInference({
      input,
      model,
      infer: (text, { model, requestId }) => `${requestId} ${model.shout(text)}`,
    })
    const calls = ['a', 'b'].map((input) => callOf({ input, model: loaded, requestId: `id-${input}` }))
    expect(await definition.answer(calls, patient)).toEqual(['id-a A', 'id-b B'])
  })

  it('turns what one inference throws into its own outcome', async () => {
    const definition = defineInference({
      input,
      model,
      infer(text) {
        if (text === 'bad') throw new RangeError('bad')
        return text
      },
    })
    const calls = ['a', 'bad', 'b'].map((input) => callOf({ input }))
    expect(await definition.answer(calls, patient)).toEqual(['a', new RangeError('bad'), 'b'])
  })
})

describe('with a batch', () => {
  it('infers all inputs by one call', async () => {
    const seen: unknown[] = []
    const definition = defineInference({
      input,
      model,
      batch,
      infer(inputs, { model }) {
        seen.push(inputs)
        return inputs.map((text) => model.shout(text))
      },
    })
    const calls = ['a', 'b', 'c'].map((input) => callOf({ input, model: loaded }))
    expect(await definition.answer(calls, patient)).toEqual(['A', 'B', 'C'])
    expect(seen).toEqual([['a', 'b', 'c']])
  })

  it('gives `infer` what the requests share, and each request’s own beside it', async () => {
    const modelInfo = { id: 'loud', version: '2', path: '/models/loud' }
    const { signal } = new AbortController()
    const definition = defineInference({
      input,
      query: Type.Object({ top: Type.Integer() }),
      model,
      batch,
      setup: () => ({ count: 7 }),
      async infer(inputs, context) {
        expect(context.signal).toBe(signal)
        expect(context.modelInfo).toBe(modelInfo)
        expect(context.modelId).toBe('loud')
        expect(context.state).toEqual({ count: 7 })
        expect(await context.getModel()).toBe(context.model)
        return inputs.map((_, index) => context.requests[index]?.query.top)
      },
    })
    const calls = [1, 2].map((top) => {
      return callOf({
        input: 'a',
        query: { top },
        model: loaded,
        modelId: 'loud',
        modelInfo,
        state: { count: 7 },
        getModel: async () => loaded,
      })
    })
    expect(await definition.answer(calls, { signal })).toEqual([1, 2])
  })

  it('passes an error at an index on for that request alone', async () => {
    const bad = new RangeError('bad')
    const definition = defineInference({
      input,
      model,
      batch,
      infer: (inputs) => inputs.map((text) => (text === 'bad' ? bad : text)),
    })
    const calls = ['a', 'bad', 'b'].map((input) => callOf({ input }))
    expect(await definition.answer(calls, patient)).toEqual(['a', bad, 'b'])
  })

  it('rejects as a whole where `infer` throws', async () => {
    const definition = defineInference({
      input,
      model,
      batch,
      infer: (): never => {
        throw new RangeError('all of it')
      },
    })
    await expect(definition.answer([callOf(), callOf()], patient)).rejects.toThrow('all of it')
  })

  it.each([
    ['too few', ['a'], '1 results'],
    ['too many', ['a', 'b', 'c'], '3 results'],
    ['none', [], '0 results'],
    ['one value', 'ab', 'string'],
    ['nothing', undefined, 'undefined'],
    ['an object with a length', { length: 2 }, 'object'],
  ])('rejects where `infer` returns %s', async (_, returned, got) => {
    const definition = defineInference({ input, model, batch, infer: () => returned as string[] })
    await expect(definition.answer([callOf(), callOf()], patient)).rejects.toThrow(
      `infer() must return one result for each of the 2 inputs; it returned ${got}.`,
    )
  })

  it('answers no calls with no outcomes, and asks nobody', async () => {
    const definition = defineInference({
      input,
      model,
      batch,
      infer: (): never => {
        throw new Error('Asked.')
      },
    })
    expect(await definition.answer([], patient)).toEqual([])
  })
})
