import { Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import { defineAction } from '../../runtime/define/action.ts'
import { isDefinition } from '../../runtime/define/definition.ts'
import { modelId } from '../../runtime/define/model-id.ts'
import { defineStep } from '../../runtime/define/step.ts'
import { createStepRegistry } from '../../runtime/define/step-registry.ts'
import { callOf, patient } from './call.ts'

const execute = () => null
const first = defineStep({ name: 'first', execute() {} })
const second = defineStep({ name: 'second', weight: 3, execute() {} })

describe('defineAction', () => {
  it('makes a frozen definition whose work stands apart', () => {
    const definition = defineAction({
      name: 'train',
      category: 'neural_net',
      models: ['digits'],
      timeoutMs: 5000,
      batchSize: 4,
      result: Type.Number(),
      infer: (inputs: readonly number[]) => inputs,
      execute: () => 1,
    })
    expect(isDefinition(definition)).toBe(true)
    expect(definition).toMatchObject({ kind: 'action', name: 'train', methods: ['POST'] })
    expect(definition.action).toMatchObject({
      category: 'neural_net',
      models: ['digits'],
      timeoutMs: 5000,
      batchSize: 4,
      weights: { model_load: 1, inference: 8, postprocess: 1 },
      steps: null,
      conclude: null,
    })
    expect(definition).not.toHaveProperty('execute')
    expect(Object.isFrozen(definition)).toBe(true)
    expect(Object.isFrozen(definition.action)).toBe(true)
    expect(Object.isFrozen(definition.action?.weights)).toBe(true)
  })

  it('sets no limit of a job on the request that submits it', () => {
    expect(defineAction({ timeoutMs: 5000, execute })).not.toHaveProperty('timeoutMs')
  })

  it('takes steps as a list and as a registry, with their weights', () => {
    for (const steps of [[first, second], createStepRegistry([first, second])]) {
      const { action } = defineAction({ steps })
      expect(action?.steps).toEqual([first, second])
      expect(action?.weights).toEqual({ first: 1, second: 3 })
    }
  })

  it('keeps the steps that were there when it was defined', () => {
    const steps = createStepRegistry([first])
    const { action } = defineAction({ steps })
    steps.register(second)
    expect(action?.steps).toEqual([first])
  })

  it('takes a step by any name that a step may have', () => {
    const { action } = defineAction({ steps: [defineStep({ name: '__proto__', weight: 2, execute() {} })] })
    expect(Object.entries(action?.weights ?? {})).toEqual([['__proto__', 2]])
  })

  it('takes weights of its own categories', () => {
    expect(defineAction({ progress: { read: 1, write: 0 }, execute }).action?.weights).toEqual({
      read: 1,
      write: 0,
    })
  })

  it('answers a submission with the ids of the models among the parameters', async () => {
    const definition = defineAction({ params: Type.Object({ modelId: modelId() }), execute })
    const calls = [callOf({ input: { modelId: 'digits' } }), callOf({ input: { modelId: 'speech@2' } })]
    expect(await definition.answer(calls, patient)).toEqual([
      { models: ['digits'] },
      { models: ['speech@2'] },
    ])
    expect(await defineAction({ execute }).answer([callOf()], patient)).toEqual([{ models: [] }])
  })

  it.each([
    ['timeoutMs', { timeoutMs: 0 }, /"timeoutMs" must be above 0/],
    ['maxBodyBytes', { maxBodyBytes: 0 }, /"maxBodyBytes" must be a whole number/],
    ['batchSize', { batchSize: 0 }, /"batchSize" must be a whole number from 1; got 0/],
    ['a weight', { progress: { read: -1 } }, /"progress\.read" must be a number from 0; got -1/],
    ['a weight without end', { progress: { read: Number.POSITIVE_INFINITY } }, /"progress\.read"/],
    ['infer', { infer: 5 }, /"infer" must be a function; got number/],
    ['execute', { execute: 'x' }, /"execute" must be a function; got string/],
    ['no work', { execute: undefined }, /either "execute" or "steps"/],
    ['work twice', { steps: [first] }, /either "execute" or "steps"/],
  ])('refuses %s outside of its bounds', (_, options, reason) => {
    expect(() => defineAction({ execute, ...(options as object) })).toThrow(
      expect.objectContaining({ name: 'TypeError', message: expect.stringMatching(reason) }),
    )
  })

  it.each([
    ['no steps', [], /"steps" must hold at least one step/],
    ['a step twice', [first, second, first], /The step "first" is registered twice/],
    ['what is no step', [{ name: 'a', weight: 1 }], /"execute" must be a function/],
    ['a step without a weight', [{ name: 'a', execute }], /"weight" must be a number from 0/],
  ])('refuses %s', (_, steps, reason) => {
    expect(() => defineAction({ steps: steps as never })).toThrow(
      expect.objectContaining({ name: 'TypeError', message: expect.stringMatching(reason) }),
    )
  })
})
