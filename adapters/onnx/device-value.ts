import type { Tensor as OnnxTensor, OnnxValue } from 'onnxruntime-common'
import { type DeviceTensor, disposedTensor } from '../../runtime/engine/device-tensor.ts'
import { Tensor, type TensorArrays, type TensorType } from '../../runtime/engine/tensor.ts'
import type { Exclusion } from './exclusion.ts'

const values = new WeakMap<DeviceTensor, () => OnnxTensor>()

/**
 * What ONNX Runtime left on the device, as a device tensor. Reading and freeing it wait for their turn.
 *
 * @param whenDisposed called at the first `dispose`
 */
export function toDeviceTensor(
  value: OnnxTensor,
  exclusive: Exclusion,
  whenDisposed: () => void,
): DeviceTensor {
  const type = value.type as TensorType
  const dims = Object.freeze([...value.dims])
  let disposal: Promise<void> | undefined
  const valueNow = (): OnnxTensor => {
    if (disposal !== undefined) throw disposedTensor()
    return value
  }
  const dispose = (): Promise<void> => {
    whenDisposed()
    return exclusive(async () => value.dispose())
  }
  const tensor: DeviceTensor = Object.freeze({
    type,
    dims,
    read: async () => {
      const kept = valueNow()
      const data = await exclusive(() => kept.getData())
      return new Tensor(type, data as TensorArrays[TensorType], dims)
    },
    dispose: () => {
      disposal ??= dispose()
      return disposal
    },
  })
  values.set(tensor, valueNow)
  return tensor
}

/**
 * What lies on the device for a device tensor; `undefined` where it lies elsewhere and has to be read.
 *
 * @throws {TypeError} where it has been disposed of.
 */
export function deviceValueOf(tensor: DeviceTensor): OnnxValue | undefined {
  return values.get(tensor)?.()
}
