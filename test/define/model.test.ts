import { describe, expect, it } from 'vitest'
import { multiplexed, onnx } from '../../runtime/define/model.ts'
import type { Engine, Provider } from '../../runtime/engine/engine.ts'
import { tensor } from '../../runtime/engine/tensor.ts'
import { createPlainEngine, type PlainModel } from './engine.ts'

const info = { id: 'digits', version: '1', path: '/models/digits' }

/** Doubles each number. */
const doubling: PlainModel = {
  inputs: [{ name: 'x', type: 'float32', dims: ['batch', null] }],
  outputs: [{ name: 'y', type: 'float32', dims: ['batch', null] }],
  compute: ({ x }) => {
    if (x?.type !== 'float32') throw new Error('No x.')
    return {
      y: tensor(
        'float32',
        (x.data as Float32Array).map((value) => 2 * value),
        x.dims,
      ),
    }
  },
}

const engine = () =>
  createPlainEngine({ '/models/digits/model.onnx': doubling, '/models/digits/parts/encoder.onnx': doubling })

describe('multiplexed', () => {
  it('keeps the loader, with nothing to free unless told', async () => {
    const loader = multiplexed(async ({ id }) => ({ id }))
    expect(await loader.load(info, engine())).toEqual({ id: 'digits' })
    expect(loader.unload({ id: 'digits' })).toBeUndefined()
    expect(loader.default).toBeUndefined()
    expect(loader.maxModelsPerReplica).toBeUndefined()
    expect(Object.isFrozen(loader)).toBe(true)
  })

  it('hands the engine to the loader and the model to the one that frees it', async () => {
    const freed: unknown[] = []
    const loader = multiplexed(
      async ({ path }, engine) => ({ encoder: await engine.load(`${path}/parts/encoder.onnx`) }),
      { unload: (model) => void freed.push(model), default: 'digits', maxModelsPerReplica: 5 },
    )
    const plain = engine()
    const model = await loader.load(info, plain)
    await loader.unload(model)
    expect(plain.loaded).toEqual([{ location: '/models/digits/parts/encoder.onnx', options: undefined }])
    expect(freed).toEqual([model])
    expect(loader).toMatchObject({ default: 'digits', maxModelsPerReplica: 5 })
  })

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])(
    'refuses to keep %d models a replica',
    (maxModelsPerReplica) => {
      expect(() => multiplexed(() => 1, { maxModelsPerReplica })).toThrow(TypeError)
      expect(() => multiplexed(() => 1, { maxModelsPerReplica })).toThrow(
        `"maxModelsPerReplica" must be a whole number from 1; got ${maxModelsPerReplica}.`,
      )
    },
  )

  it('refuses what JavaScript lets through: no loader, nothing to free with', () => {
    expect(() => multiplexed('model.onnx' as never)).toThrow('"load" must be a function; got string.')
    expect(() => multiplexed(() => 1, { unload: 'no' as never })).toThrow('"unload" must be a function')
  })
})

describe('onnx', () => {
  it('loads model.onnx of the artifact with the engine’s own options', async () => {
    const plain = engine()
    const model = await onnx().load(info, plain)
    expect(plain.loaded).toEqual([{ location: '/models/digits/model.onnx', options: {} }])
    expect(model.provider).toBe('cpu')
    expect(model.inputs.map(({ name }) => name)).toEqual(['x'])
    expect(model.outputs.map(({ name }) => name)).toEqual(['y'])
  })

  it('hands the session’s options on, and keeps its own to itself', async () => {
    const plain = engine()
    const loader = onnx({
      file: 'parts/encoder.onnx',
      default: 'digits',
      maxModelsPerReplica: 2,
      inputs: ['x'],
      outputs: ['y'],
      provider: 'cpu',
      intraOpThreads: 2,
    })
    await loader.load(info, plain)
    expect(plain.loaded).toEqual([
      { location: '/models/digits/parts/encoder.onnx', options: { provider: 'cpu', intraOpThreads: 2 } },
    ])
    expect(loader).toMatchObject({ default: 'digits', maxModelsPerReplica: 2 })
  })

  it('says which provider computes, also once that has changed', async () => {
    const plain = engine()
    let provider: Provider = 'webgpu'
    const changing: Engine = {
      name: 'changing',
      load: async (location, options) => ({
        ...(await plain.load(location, options)),
        get provider() {
          return provider
        },
      }),
    }
    const model = await onnx({ deviceOutputs: ['y'] }).load(info, changing)
    expect(plain.loaded[0]?.options).toEqual({ deviceOutputs: ['y'] })
    expect(model.provider).toBe('webgpu')
    provider = 'wasm'
    expect(model.provider).toBe('wasm')
  })

  it('runs the session, and frees it once with the model', async () => {
    const plain = engine()
    const loader = onnx({ inputs: ['x'], outputs: ['y'] })
    const { run, ...model } = await loader.load(info, plain)
    // Taken out of its model, as functions do that destructure it.
    const { y } = await run({ x: tensor('float32', Float32Array.of(1, 2), [1, 2]) })
    expect(y.toNested()).toEqual([[2, 4]])
    expect(plain.disposals).toEqual([0])
    expect(model.provider).toBe('cpu')
  })

  it('frees each of several models by itself', async () => {
    const plain = engine()
    const loader = onnx()
    const first = await loader.load(info, plain)
    const second = await loader.load(info, plain)
    await loader.unload(second)
    expect(plain.disposals).toEqual([0, 1])
    await loader.unload(first)
    expect(plain.disposals).toEqual([1, 1])
  })

  it.each([
    [
      { inputs: ['x', 'mask'] },
      'Model "digits" has no input "mask", which the function needs; its inputs are x float32[batch, ?].',
    ],
    [
      { outputs: ['logits'] },
      'Model "digits" has no output "logits", which the function needs; its outputs are y float32[batch, ?].',
    ],
  ])('refuses a model that lacks one of %j, and frees its session', async (options, message) => {
    const plain = engine()
    await expect(onnx(options).load(info, plain)).rejects.toMatchObject({
      code: 'MODEL_BROKEN',
      message,
      details: { model: 'digits' },
    })
    expect(plain.disposals).toEqual([1])
  })

  it('lets an error of the engine through', async () => {
    await expect(onnx({ file: 'none.onnx' }).load(info, engine())).rejects.toThrow('/models/digits/none.onnx')
  })

  it('refuses to keep less than one model', () => {
    expect(() => onnx({ maxModelsPerReplica: 0 })).toThrow('"maxModelsPerReplica"')
  })
})
