import { truncateSync, unlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { expect, it } from 'vitest'
import type { Tensors } from '../../runtime/engine/engine.ts'
import { type Tensor, tensor } from '../../runtime/engine/tensor.ts'
import { addedTo, type ModelWorkshop } from '../support/model-workshop.ts'
import {
  addConstantModel,
  garbageBytes,
  identityModel,
  int4Model,
  joinModel,
  mlpModel,
  sequenceModel,
  unknownOperatorModel,
  writeExternalDataModel,
} from '../support/onnx-models.ts'

/** Feeds that no session takes. */
export function describeRefusedFeeds(workshop: ModelWorkshop): void {
  const left = tensor('float32', Float32Array.of(1, 2), [2, 1])
  const right = tensor('float32', Float32Array.of(1, 2, 3, 4), [2, 2])

  it.each<[string, Tensors, string, string]>([
    ['a missing input', { left }, 'right', 'Input "right" is missing; the model takes float32 [batch, 2].'],
    [
      'an unknown input',
      { left, right, up: left },
      'up',
      'The model has no input "up"; its inputs are "left", "right".',
    ],
    [
      'an input of another type',
      { left, right: tensor('float64', new Float64Array(4), [2, 2]) },
      'right',
      'Input "right" takes float32 elements; got float64.',
    ],
    [
      'an input of another size',
      { left, right: tensor('float32', new Float32Array(6), [2, 3]) },
      'right',
      'Input "right" takes the shape [batch, 2]; got [2, 3].',
    ],
    [
      'an input of another rank',
      { left: tensor('float32', new Float32Array(2), [2]), right },
      'left',
      'Input "left" takes the shape [batch, left_width]; got [2].',
    ],
    [
      'inputs that disagree about a dimension of one name',
      { left: tensor('float32', new Float32Array(3), [3, 1]), right },
      'right',
      'Input "right" takes the shape [batch, 2], where batch is 3 by input "left"; got [2, 2].',
    ],
  ])('refuses %s and says which, then goes on', async (_, feeds, name, message) => {
    const session = await workshop.load(joinModel())
    await expect(session.run(feeds)).rejects.toMatchObject({
      code: 'TENSOR_MISMATCH',
      message,
      details: { tensor: name },
    })
    const { joined } = await session.run({ left, right })
    expect(joined?.toNested()).toEqual([
      [1, 1, 2],
      [2, 3, 4],
    ])
  })

  it.each<[string, Tensor, string]>([
    [
      'a bool that is neither 0 nor 1',
      tensor('bool', Uint8Array.of(1, 7), [1, 2]),
      'element 1 is neither 0 nor 1',
    ],
    ['a text with a NUL', tensor('string', ['a', 'b\0c'], [1, 2]), 'element 1 holds a NUL character'],
  ])('refuses %s, which the runtime would read as another value', async (_, x, fault) => {
    const session = await workshop.load(identityModel(x.type))
    await expect(session.run({ x })).rejects.toMatchObject({
      code: 'TENSOR_MISMATCH',
      message: `Input "x": ${fault}.`,
    })
  })

  it('refuses a tensor whose memory was handed away', async () => {
    const session = await workshop.load(identityModel('float32'))
    const x = tensor('float32', Float32Array.of(1), [1, 1])
    structuredClone(x.data, { transfer: [x.data.buffer] })
    await expect(session.run({ x })).rejects.toMatchObject({ code: 'TENSOR_MISMATCH' })
  })

  it.each([[1], null, Float32Array.of(1), { data: Float32Array.of(1), dims: [1, 1] }])(
    'refuses %o, which is no tensor',
    async (x) => {
      const session = await workshop.load(identityModel('float32'))
      await expect(session.run({ x } as unknown as Tensors)).rejects.toThrow(
        new TypeError('"feeds.x" must be a tensor made by tensor().'),
      )
    },
  )
}

/** Files that no engine loads. */
export function describeBrokenModels(workshop: ModelWorkshop): void {
  it.each<[string, Uint8Array, RegExp]>([
    ['garbage', garbageBytes(), /could not be loaded: \S/],
    ['an empty file', new Uint8Array(0), /could not be loaded: \S/],
    ['a model cut short', mlpModel().bytes.slice(0, 400), /could not be loaded: \S/],
    ['a model of an unknown operator', unknownOperatorModel(), /Conjure/],
    ['a model that gives a sequence', sequenceModel(), /output "y" is no tensor/],
    ['a model that takes int4', int4Model(), /input "x" holds int4 elements/],
  ])('refuses %s with a reason, and loads the next', async (_, bytes, reason) => {
    const error: unknown = await workshop.load(bytes).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'MODEL_BROKEN', details: { model: 'model.onnx' } })
    expect((error as Error).message).toMatch(reason)
    expect((error as Error).message).not.toContain(tmpdir())
    expect((error as Error).message).not.toMatch(/onnxruntime_src|\.cc:/)
    expect(await addedTo(await workshop.load(addConstantModel(1)), 1)).toBe(2)
  })

  it('refuses a file that is not there', async () => {
    const error: unknown = await workshop
      .loadFrom(join(workshop.folder(), 'none.onnx'))
      .catch((thrown) => thrown)
    expect(error).toMatchObject({ code: 'MODEL_BROKEN', details: { model: 'none.onnx' } })
    expect((error as Error).message).not.toContain(tmpdir())
  })

  it.each(['', 'model.onnx\0', undefined, 7])('refuses the location %o', async (location) => {
    await expect(workshop.loadFrom(location as string)).rejects.toThrow(/^"location" must be/)
  })
}

/** Weights in a file of their own. */
export function describeExternalData(workshop: ModelWorkshop): void {
  it('finds external data beside the model', async () => {
    const session = await workshop.loadFrom(writeExternalDataModel(workshop.folder(), [10, 20]))
    const { y } = await session.run({ x: tensor('float32', Float32Array.of(1, 2), [2]) })
    expect(y?.toArray()).toEqual([11, 22])
  })

  it('refuses external data outside the model’s folder', async () => {
    const [folder, neighbour] = [workshop.folder(), workshop.folder()]
    const elsewhere = `${writeExternalDataModel(neighbour)}.data`
    for (const place of [elsewhere, relative(folder, elsewhere)]) {
      const load = workshop.loadFrom(writeExternalDataModel(folder, [1, 2, 3], place))
      await expect(load).rejects.toMatchObject({ code: 'MODEL_BROKEN' })
    }
  })

  it('refuses external data that is missing or cut short', async () => {
    const path = writeExternalDataModel(workshop.folder())
    truncateSync(`${path}.data`, 4)
    await expect(workshop.loadFrom(path)).rejects.toMatchObject({ code: 'MODEL_BROKEN' })
    unlinkSync(`${path}.data`)
    await expect(workshop.loadFrom(path)).rejects.toMatchObject({ code: 'MODEL_BROKEN' })
  })
}
