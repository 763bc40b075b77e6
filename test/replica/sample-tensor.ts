import { type Tensor, type TensorArrays, type TensorType, tensor } from '../../runtime/engine/tensor.ts'

/** Values of each type that are easily got wrong: bounds, and what is no plain number in JSON. */
const samples: { readonly [Type in TensorType]: TensorArrays[Type] } = {
  float32: Float32Array.of(0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
  float64: Float64Array.of(0.1, 5e-324, 1.7976931348623157e308, Number.NaN, -Infinity, Infinity),
  float16: Float16Array.of(65504, -65504, 6e-8, Number.NaN, Infinity, -Infinity),
  int8: Int8Array.of(-128, 127, 0, 1, -1, 5),
  int16: Int16Array.of(-32768, 32767, 0, 1, -1, 5),
  int32: Int32Array.of(-2147483648, 2147483647, 0, 1, -1, 5),
  int64: BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n, 2n ** 53n, -(2n ** 53n) - 1n, 0n, 5n),
  uint8: Uint8Array.of(0, 255, 1, 2, 3, 4),
  uint16: Uint16Array.of(0, 65535, 1, 2, 3, 4),
  uint32: Uint32Array.of(0, 4294967295, 1, 2, 3, 4),
  uint64: BigUint64Array.of(0n, 2n ** 64n - 1n, 2n ** 53n, 2n ** 53n - 1n, 1n, 2n),
  bool: Uint8Array.of(0, 1, 1, 0, 0, 1),
  string: ['', 'ä\u2028', '1', 'NaN', 'true', '\ud83d\ude00'],
}

/** Six values of a type, two by three. */
export function sample(type: TensorType): Tensor {
  return tensor(type, samples[type], [2, 3])
}

/** The values as they are told apart: NaN is NaN, and -0 is not 0. */
export function exactly(value: Tensor): unknown {
  return { type: value.type, dims: value.dims, data: Array.from(value.data as ArrayLike<unknown>) }
}
