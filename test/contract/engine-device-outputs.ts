import { expect, it } from 'vitest'
import { type DeviceTensor, isDeviceTensor } from '../../runtime/engine/device-tensor.ts'
import { type Tensor, type TensorType, tensor, tensorTypes } from '../../runtime/engine/tensor.ts'
import { addedTo, type ModelWorkshop } from '../support/model-workshop.ts'
import { addConstantModel, identityModel, runningSumModel } from '../support/onnx-models.ts'

const deviceOutputs = ['total'] as const
const x = tensor('float32', Float32Array.of(1, 2), [2])

/** Outputs that stay where they were computed. */
export function describeDeviceOutputs(
  workshop: ModelWorkshop,
  samples: { readonly [Type in TensorType]: Tensor<Type> },
): void {
  it('leaves an output on the device, and takes it back as it is', async () => {
    const session = await workshop.load(runningSumModel(), { deviceOutputs })
    let sum: Tensor | DeviceTensor = x
    for (let run = 0; run < 3; run++) {
      const { total, twice } = await session.run({ x, sum })
      expect(isDeviceTensor(total)).toBe(true)
      expect(total).toMatchObject({ type: 'float32', dims: [2] })
      expect(twice).toEqual(tensor('float32', Float32Array.of(2, 4), [2]))
      if (isDeviceTensor(sum)) await sum.dispose()
      sum = total
    }
    expect(await (sum as DeviceTensor).read()).toEqual(tensor('float32', Float32Array.of(4, 8), [2]))
  })

  it.each(tensorTypes)('gives %s values from the device as they are', async (type) => {
    const session = await workshop.load(identityModel(type), { deviceOutputs: ['y'] })
    const { y } = await session.run({ x: samples[type] })
    expect(await y.read()).toEqual(samples[type])
    expect((await (await session.run({ x: y })).y.read()).toArray()).toEqual(samples[type].toArray())
  })

  it('leaves tensors without elements on the device', async () => {
    const session = await workshop.load(identityModel('float32'), { deviceOutputs: ['y'] })
    const { y } = await session.run({ x: tensor('float32', new Float32Array(0), [0, 3]) })
    expect((await y.read()).dims).toEqual([0, 3])
  })

  it('takes what lies on the device into another session', async () => {
    const sum = await workshop.load(runningSumModel(), { deviceOutputs })
    const plain = await workshop.load(addConstantModel(10))
    const { total } = await sum.run({ x, sum: x })
    expect((await plain.run({ x: total })).y?.toArray()).toEqual([12, 14])
  })

  it('gives overlapping runs each their own tensor on the device', async () => {
    const session = await workshop.load(runningSumModel(), { deviceOutputs })
    const sums = Array.from({ length: 8 }, (_, index) => tensor('float32', Float32Array.of(index), [1]))
    const one = tensor('float32', Float32Array.of(1), [1])
    const totals = await Promise.all(sums.map((sum) => session.run({ x: one, sum })))
    const read = await Promise.all(totals.map(async ({ total }) => (await total.read()).item()))
    expect(read).toEqual(sums.map((_, index) => index + 1))
  })

  it('frees what lies on the device by disposal, its own or the session’s', async () => {
    const session = await workshop.load(runningSumModel(), { deviceOutputs })
    const [first, second] = [await session.run({ x, sum: x }), await session.run({ x, sum: x })]
    await Promise.all([first.total.dispose(), first.total.dispose()])
    await expect(first.total.read()).rejects.toThrow(TypeError)
    await expect(session.run({ x, sum: first.total })).rejects.toThrow(TypeError)
    expect((await second.total.read()).toArray()).toEqual([2, 4])
    await session.dispose()
    await expect(second.total.read()).rejects.toThrow(TypeError)
    await second.total.dispose()
    expect(await addedTo(await workshop.load(addConstantModel(1)), 1)).toBe(2)
  })

  it('finishes a run with a device tensor that is disposed of meanwhile', async () => {
    const session = await workshop.load(runningSumModel(), { deviceOutputs })
    const { total } = await session.run({ x, sum: x })
    const [run] = await Promise.all([session.run({ x, sum: total }), total.dispose()])
    expect((await run.total.read()).toArray()).toEqual([3, 6])
  })

  it('refuses a device tensor that does not fit', async () => {
    const session = await workshop.load(runningSumModel(), { deviceOutputs })
    const { y } = await (await workshop.load(identityModel('int32'), { deviceOutputs: ['y'] })).run({
      x: samples.int32,
    })
    await expect(session.run({ x, sum: y })).rejects.toMatchObject({
      code: 'TENSOR_MISMATCH',
      message: 'Input "sum" takes float32 elements; got int32.',
    })
  })

  it('refuses a model without an output that is to stay on the device', async () => {
    await expect(workshop.load(runningSumModel(), { deviceOutputs: ['rest'] })).rejects.toMatchObject({
      code: 'MODEL_BROKEN',
      message: expect.stringContaining('no output "rest"'),
    })
    const wrong = { deviceOutputs: 'total' as unknown as readonly string[] }
    await expect(workshop.load(runningSumModel(), wrong)).rejects.toThrow(
      /^"deviceOutputs" must be a list of names/,
    )
  })
}
