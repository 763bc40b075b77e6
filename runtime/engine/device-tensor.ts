import { type Tensor, type TensorType, tensorTypes } from './tensor.ts'

/**
 * An output that lies where the model computed it, such as in the memory of a GPU. It is fed to `run` as it is;
 * nobody copies it in between. Where there is no such memory it holds a plain tensor, so that the same code runs
 * everywhere. It is freed by `dispose`, and at the latest when its session is disposed.
 */
export interface DeviceTensor<Type extends TensorType = TensorType> {
  readonly type: Type
  readonly dims: readonly number[]
  /**
   * The values in the memory of the program. They may be the tensor's own, so they must not be written to.
   *
   * @throws {TypeError} where the tensor has been disposed of.
   */
  read(): Promise<Tensor<Type>>
  /** Frees the memory once the runs that were given it have ended. Calling it again does nothing. */
  dispose(): Promise<void>
}

/** Whether a value is a device tensor. It tests by form, as `isTensor`. */
export function isDeviceTensor(value: unknown): value is DeviceTensor {
  if (typeof value !== 'object' || value === null) return false
  const { type, dims, read, dispose } = value as Partial<DeviceTensor>
  return (
    type !== undefined &&
    tensorTypes.includes(type) &&
    Array.isArray(dims) &&
    typeof read === 'function' &&
    typeof dispose === 'function'
  )
}

/**
 * A device tensor where there is no device: it holds the tensor that it is made of.
 *
 * @param whenDisposed called at the first `dispose`
 */
export function holdTensor<Type extends TensorType>(
  tensor: Tensor<Type>,
  whenDisposed: () => void = () => undefined,
): DeviceTensor<Type> {
  let held: Tensor<Type> | null = tensor
  const { type, dims } = tensor
  return Object.freeze({
    type,
    dims,
    read: async () => {
      if (held === null) throw disposedTensor()
      return held
    },
    dispose: async () => {
      if (held !== null) whenDisposed()
      held = null
    },
  })
}

/** What reading or feeding a device tensor is refused with once it has been disposed of. */
export function disposedTensor(): TypeError {
  return new TypeError('The device tensor has been disposed of; read it or feed it before.')
}
