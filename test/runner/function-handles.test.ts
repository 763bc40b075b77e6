import { Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import type { FunctionLog } from '../../runtime/define/context.ts'
import { type Definition, isDefinition } from '../../runtime/define/definition.ts'
import { defineFunction } from '../../runtime/define/function.ts'
import type { FunctionHandle, HandleOptions } from '../../runtime/define/handle.ts'
import { defineInference } from '../../runtime/define/inference.ts'
import { multiplexed } from '../../runtime/define/model.ts'
import { tensorOf } from '../../runtime/define/schema.ts'
import { type Tensor, tensor } from '../../runtime/engine/tensor.ts'
import type { CallerModel, CallSource } from '../../runtime/runner/call.ts'
import { createCallPlacement } from '../../runtime/runner/call-placement.ts'
import { FunctionHandles } from '../../runtime/runner/function-handles.ts'
import { createPlainEngine } from '../define/engine.ts'
import { headOf } from '../replica/request-head.ts'
import { callSource } from './call-source.ts'
import { createNeighbour, type Neighbour } from './neighbour.ts'

type OpenAny = (fn: unknown, options?: HandleOptions) => FunctionHandle<unknown, unknown, unknown, unknown>

interface Scene {
  readonly open: OpenAny
  readonly handles: FunctionHandles
  readonly neighbour: Neighbour
  readonly lines: unknown[]
}

interface SceneFacts {
  readonly source?: Partial<CallSource>
  readonly caller?: CallerModel
  /** What another runner answers. */
  readonly remote?: Definition
  readonly isApart?: (name: string) => boolean
}

/** Handles of a runner; functions are known by a `name` of their own. */
function openScene({ source, caller, remote, isApart }: SceneFacts = {}): Scene {
  const lines: unknown[] = []
  const note = (message: string): void => void lines.push(message)
  const log: FunctionLog = { debug: note, info: note, warn: note, error: note }
  const neighbour = createNeighbour(remote ?? defineFunction({ handler: () => 'remote' }))
  const handles = new FunctionHandles({
    nameOf: ({ name }) => name ?? null,
    place: createCallPlacement({ transport: neighbour, ...(isApart ? { isApart } : {}) }),
    engine: createPlainEngine({}),
    log,
    fetchInput: () => Promise.reject(new Error('Nothing is fetched.')),
  })
  const open = handles.opener(callSource(source ?? {}), caller ?? null) as unknown as OpenAny
  return { open, handles, neighbour, lines }
}

describe('a function without a model', () => {
  it('answers beside its caller, by reference, in the name of the same request', async () => {
    const { open, neighbour } = openScene({
      source: { head: headOf({ requestId: 'r1', principal: 'tenant:a' }) },
    })
    const pass = defineFunction({
      name: 'pass',
      input: tensorOf('float32', ['n']),
      handler: ({ input, principal, requestId, request }) => ({
        input,
        principal,
        requestId,
        url: request.url,
      }),
    })
    const given = tensor('float32', Float32Array.of(1), [1])
    const { input, ...facts } = (await open(pass).infer(given)) as { input: Tensor }
    expect(input).toBe(given)
    expect(facts).toEqual({ principal: 'tenant:a', requestId: 'r1', url: '/pass' })
    expect(neighbour.calls).toEqual([])
  })

  it('gets path and query as they are, with their defaults', async () => {
    const { open } = openScene()
    const fn = defineFunction({
      params: Type.Object({ id: Type.Integer() }),
      query: Type.Object({ many: Type.Integer({ default: 2 }) }),
      handler: ({ params, query, input }) => ({ params, query, input }),
    })
    expect(await open(fn).call({ params: { id: 1 }, input: 'not read' })).toEqual({
      params: { id: 1 },
      query: { many: 2 },
      input: undefined,
    })
    await expect(open(fn).call({ params: { id: 'one' } })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      details: { issues: [{ path: '/params/id' }] },
    })
    await expect(open(fn).infer(undefined)).rejects.toMatchObject({ code: 'INPUT_INVALID' })
  })

  it('is set up once and taken down with its caller', async () => {
    const { open, handles } = openScene()
    const told: string[] = []
    const fn = defineFunction({
      name: 'fn',
      setup: ({ name }) => told.push(`up ${name}`),
      teardown: () => void told.push('down'),
      handler: () => 1,
    })
    await Promise.all([open(fn).infer(undefined), open(fn).infer(undefined)])
    await open(fn).infer(undefined)
    await handles.dispose()
    expect(told).toEqual(['up fn', 'down'])
  })

  it('may call itself only so deep', async () => {
    const { open } = openScene()
    const self: Definition = defineFunction({
      name: 'self',
      handler: ({ handle }): Promise<unknown> => (handle as unknown as OpenAny)(self).infer(undefined),
    })
    await expect(open(self).infer(undefined)).rejects.toMatchObject({
      code: 'CALL_TOO_DEEP',
      details: { chain: ['caller', ...Array.from({ length: 16 }, () => 'self')] },
    })
  })

  it('is left by whoever gives it no more time', async () => {
    const { open } = openScene()
    const hang = defineFunction({ handler: () => new Promise<never>(() => undefined) })
    await expect(open(hang).infer(undefined, { timeoutMs: 1 })).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
    })
    const leaving = new AbortController()
    const left = open(hang).infer(undefined, { signal: leaving.signal })
    leaving.abort(new Error('left'))
    await expect(left).rejects.toThrow('left')
  })

  it('answers in another runner where it has replicas of its own, or by a deployment', async () => {
    const { open, neighbour } = openScene({ isApart: (name) => name === 'apart' })
    const make = (name: string): Definition => defineFunction({ name, handler: () => 'local' })
    expect(await open(make('apart')).infer(undefined)).toBe('remote')
    expect(await open(make('beside'), { deployment: 'fast' }).infer(undefined)).toBe('remote')
    expect(await open(make('beside')).infer(undefined)).toBe('local')
    expect(neighbour.calls).toMatchObject([{ deployment: null }, { deployment: 'fast' }])
  })
})

describe('a function with a model', () => {
  const loader = multiplexed(({ id }) => ({ id }))
  const make = (name: string, by = loader) =>
    defineInference({
      name,
      input: Type.Any(),
      model: by,
      infer: (_, { model, modelId }) => [model, modelId],
    })
  const held = { loader, model: { id: 'held' }, modelInfo: { id: 'm', version: '1', path: '/m' } }

  it('answers beside its caller with the very model of that, where it would load the same', async () => {
    const { open, neighbour } = openScene({ caller: held })
    const [model, id] = (await open(make('same')).infer(1)) as [unknown, string]
    expect(model).toBe(held.model)
    expect(id).toBe('m')
    expect(neighbour.calls).toEqual([])
  })

  it.each<[string, SceneFacts, HandleOptions]>([
    ['names a model', { caller: held }, { model: 'm' }],
    [
      'was called by a name of its model',
      { caller: held, source: { head: headOf({ modelNamed: true }) } },
      {},
    ],
    ['has none', {}, {}],
    ['asks for a deployment', { caller: held }, { deployment: 'fast' }],
  ])('answers in another runner where its caller %s', async (_, facts, options) => {
    const { open, neighbour } = openScene({ ...facts, remote: make('same') })
    expect(await open(make('same'), options).infer(1)).toEqual([{ id: 'm' }, 'm'])
    expect(neighbour.calls).toHaveLength(1)
  })

  it('is not known elsewhere where no file defines it', () => {
    const { open } = openScene()
    const nameless = defineInference({ input: Type.Any(), model: loader, infer: () => 1 })
    expect(isDefinition(nameless)).toBe(true)
    expect(() => open(nameless)).toThrow(expect.objectContaining({ code: 'FUNCTION_NOT_FOUND' }))
  })
})

describe('many inputs', () => {
  const double = defineInference({
    name: 'double',
    input: Type.Integer(),
    model: multiplexed(() => null),
    batch: { maxSize: 4, maxDelayMs: 0 },
    infer: (inputs) => inputs.map((n) => (n === 13 ? new Error('unlucky') : 2 * n)),
  })

  it('are answered in their order, and asked for no further than they are read', async () => {
    const { open } = openScene({ remote: double })
    let asked = 0
    let ended = false
    function* inputs(): Generator<number> {
      try {
        for (;;) yield asked++
      } finally {
        ended = true
      }
    }
    const seen: unknown[] = []
    for await (const answer of open(double).inferAll(inputs())) {
      seen.push(answer)
      if (seen.length === 5) break
    }
    expect(seen).toEqual([0, 2, 4, 6, 8])
    expect(asked).toBeLessThanOrEqual(24)
    expect(ended).toBe(true)
  })

  it('fail in their place', async () => {
    const { open } = openScene({ remote: double })
    const seen: unknown[] = []
    const read = async (): Promise<void> => {
      for await (const answer of open(double).inferAll([1, 2, 13, 4])) seen.push(answer)
    }
    await expect(read()).rejects.toThrow('unlucky')
    expect(seen).toEqual([2, 4])
  })

  it('are given up with the signal of their caller', async () => {
    const { open } = openScene({ remote: double })
    const leaving = new AbortController()
    const answers = open(double).inferAll([1, 2], { signal: leaving.signal })
    leaving.abort(new Error('left'))
    await expect(Array.fromAsync(answers)).rejects.toThrow('left')
  })
})
