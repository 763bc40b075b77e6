import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Engine, Provider } from '../../runtime/engine/engine.ts'
import {
  elementCount,
  type Tensor,
  type TensorType,
  tensor,
  tensorTypes,
} from '../../runtime/engine/tensor.ts'
import { pseudoRandom, randomFloats } from '../support/arithmetic.ts'
import { addedTo, createWorkshop, type ModelWorkshop } from '../support/model-workshop.ts'
import {
  addConstantModel,
  convolutionModel,
  identityModel,
  joinModel,
  mlpModel,
  scalarModel,
} from '../support/onnx-models.ts'
import { describeDeviceOutputs } from './engine-device-outputs.ts'
import { describeDisposal, describeOverlap } from './engine-lifetime.ts'
import { describeBrokenModels, describeExternalData, describeRefusedFeeds } from './engine-refusals.ts'

/** What the contract is held against. */
export interface EngineUnderTest {
  /** Every model is loaded on it. */
  readonly provider: Provider
  /** How far an answer may lie from one reckoned in double precision. @default 1e-5 */
  readonly tolerance?: number
}

/** Values of each element type, the outermost ones among them. */
const samples: { readonly [Type in TensorType]: Tensor<Type> } = {
  float32: tensor('float32', Float32Array.of(1.5, -0, Number.NaN, Number.NEGATIVE_INFINITY), [2, 2]),
  float64: tensor('float64', Float64Array.of(Number.MAX_VALUE, -0, Number.NaN, Number.MIN_VALUE), [2, 2]),
  float16: tensor('float16', Float16Array.of(1.5, -65504), [1, 2]),
  int8: tensor('int8', Int8Array.of(-128, 127), [1, 2]),
  int16: tensor('int16', Int16Array.of(-32768, 32767), [1, 2]),
  int32: tensor('int32', Int32Array.of(-(2 ** 31), 2 ** 31 - 1), [1, 2]),
  int64: tensor('int64', BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n), [1, 2]),
  uint8: tensor('uint8', Uint8Array.of(0, 255), [1, 2]),
  uint16: tensor('uint16', Uint16Array.of(0, 65535), [1, 2]),
  uint32: tensor('uint32', Uint32Array.of(0, 2 ** 32 - 1), [1, 2]),
  uint64: tensor('uint64', BigUint64Array.of(0n, 2n ** 64n - 1n), [1, 2]),
  bool: tensor('bool', Uint8Array.of(0, 1), [1, 2]),
  string: tensor('string', ['', 'plain', 'ü€', '\u{1f600}\n'], [2, 2]),
}

/**
 * Holds an engine to what `Engine` and `Session` promise: one suite for every adapter and provider. It clears
 * its sessions and files away.
 *
 * @param engine makes the engine; the suite calls it once
 */
export function describeEngine(name: string, engine: () => Engine, under: EngineUnderTest): void {
  describe(name, () => {
    const models = createWorkshop(engine, under.provider)
    beforeAll(models.open)
    afterEach(models.disposeSessions)
    afterAll(models.close)
    describeFacts(models, under)
    describeValues(models)
    describeAnswers(models, under)
    describeDeviceOutputs(models, samples)
    describeRefusedFeeds(models)
    describeBrokenModels(models)
    describeExternalData(models)
    describeOverlap(models)
    describeDisposal(models)
  })
}

function describeFacts(models: ModelWorkshop, { provider }: EngineUnderTest): void {
  it('says which provider computes', async () => {
    expect((await models.load(addConstantModel(1))).provider).toBe(provider)
  })

  it('describes inputs and outputs, free dimensions by their names', async () => {
    const join = await models.load(joinModel())
    expect(join.inputs).toEqual([
      { name: 'left', type: 'float32', dims: ['batch', 'left_width'] },
      { name: 'right', type: 'float32', dims: ['batch', 2] },
    ])
    expect(join.outputs).toEqual([{ name: 'joined', type: 'float32', dims: ['batch', null] }])
    expect((await models.load(scalarModel())).inputs).toEqual([{ name: 'x', type: 'float32', dims: [] }])
  })

  it.each(['disabled', 'basic', 'extended', 'layout', 'all'] as const)(
    'answers the same with the graph optimization "%s"',
    async (graphOptimization) => {
      const session = await models.load(addConstantModel(2), {
        graphOptimization,
        intraOpThreads: 1,
        interOpThreads: 2,
        memoryPattern: false,
      })
      expect(await addedTo(session, 1)).toBe(3)
    },
  )

  it('refuses an option that means nothing', async () => {
    const load = models.load(addConstantModel(1), { intraOpThreads: 0 })
    await expect(load).rejects.toThrow(/^"intraOpThreads" must be a whole number/)
  })
}

function describeValues(models: ModelWorkshop): void {
  it.each(tensorTypes)('hands %s values through as they are', async (type) => {
    const session = await models.load(identityModel(type))
    const { y } = await session.run({ x: samples[type] })
    expect(y).toEqual(samples[type])
    expect(y?.data.constructor).toBe(samples[type].data.constructor)
  })

  it('takes free dimensions of any size, none too', async () => {
    const session = await models.load(identityModel('float32'))
    for (const dims of [
      [1, 1],
      [3, 2],
      [2, 7],
      [0, 3],
      [3, 0],
      [0, 0],
    ]) {
      const x = tensor('float32', randomFloats(pseudoRandom(1), elementCount(dims)), dims)
      expect((await session.run({ x })).y).toEqual(x)
    }
  })

  it('takes a scalar and gives one', async () => {
    const session = await models.load(scalarModel())
    const { y } = await session.run({ x: tensor('float32', Float32Array.of(4), []) })
    expect(y).toMatchObject({ dims: [] })
    expect(y?.item()).toBe(8)
  })

  it('reads a view of a larger memory, and memory that threads share', async () => {
    const session = await models.load(identityModel('float32'))
    const larger = Float32Array.of(9, 1, 2, 9)
    const shared = new Float32Array(new SharedArrayBuffer(8))
    shared.set([3, 4])
    const run = async (data: Float32Array): Promise<unknown> =>
      (await session.run({ x: tensor('float32', data, [1, 2]) })).y?.toArray()
    expect(await run(larger.subarray(1, 3))).toEqual([1, 2])
    expect(await run(shared)).toEqual([3, 4])
  })

  it('takes a tensor that another copy of isoplex made', async () => {
    const session = await models.load(identityModel('float32'))
    const { type, data, dims } = tensor('float32', Float32Array.of(5), [1, 1])
    expect((await session.run({ x: { type, data, dims } as Tensor })).y?.item()).toBe(5)
  })

  it('gives each answer its own memory', async () => {
    const session = await models.load(identityModel('float32'))
    const x = tensor('float32', Float32Array.of(1), [1, 1])
    const [first, second] = [await session.run({ x }), await session.run({ x })]
    ;(first.y as Tensor<'float32'>).data[0] = 7
    expect([x.item(), second.y?.item()]).toEqual([1, 1])
  })

  it('hands a large tensor through', { timeout: 60_000 }, async () => {
    const session = await models.load(addConstantModel(1))
    const data = Float32Array.from({ length: 4_000_000 }, (_, index) => index)
    const { y } = await session.run({ x: tensor('float32', data, [data.length]) })
    expect(y?.size).toBe(data.length)
    for (const position of [0, 1, 2_000_001, 3_999_999]) expect(y?.at(position)).toBe(position + 1)
  })
}

function describeAnswers(models: ModelWorkshop, { tolerance = 1e-5 }: EngineUnderTest): void {
  it.each([
    ['perceptron', mlpModel()],
    ['convolution of 9 channels', convolutionModel()],
  ])('answers as the reference does: a %s', { timeout: 60_000 }, async (_, model) => {
    const session = await models.load(model.bytes)
    for (const batch of [1, 3]) {
      const dims = model.inputDims(batch)
      const x = randomFloats(pseudoRandom(batch), elementCount(dims))
      const { y } = await session.run({ x: tensor('float32', x, dims) })
      const answer = model.answer(x)
      expect(y?.size).toBe(answer.length)
      expect(
        Math.max(...answer.map((element, index) => Math.abs(element - Number(y?.at(index))))),
      ).toBeLessThan(tolerance)
    }
  })

  it('loads, answers and unloads over and over', { timeout: 60_000 }, async () => {
    for (let constant = 0; constant < 20; constant++) {
      const session = await models.load(addConstantModel(constant))
      expect(await addedTo(session, 1)).toBe(constant + 1)
      await session.dispose()
    }
  })
}
