import type { Tensor as OnnxTensor, OnnxValue } from 'onnxruntime-common'
import { Tensor, type TensorArrays, type TensorType, tensorTypes } from '../../runtime/engine/tensor.ts'

/**
 * A tensor as ONNX Runtime takes it, over the same memory. It is plain data of the fields that the bindings
 * read: their own class takes float16 as Float16Array only, which native bindings under Bun see as empty,
 * whereas every binding takes the bits.
 */
export function toOnnxValue(tensor: Tensor): OnnxValue {
  const { type, data, dims } = tensor
  const value = { type, data: type === 'float16' ? bitsOf(data) : data, dims, location: 'cpu' }
  return value as unknown as OnnxValue
}

/** What ONNX Runtime gave, as a tensor over the same memory. The runtime has copied it for us. */
export function fromOnnxTensor(value: OnnxTensor): Tensor {
  // The element type decides the array, in the runtime as in our table.
  return new Tensor(value.type as TensorType, value.data as TensorArrays[TensorType], value.dims)
}

/**
 * Whether a type of ONNX Runtime's metadata is one that its bindings take and give. They describe int4 and
 * uint4 but refuse such tensors; bfloat16, the complex and the 8-bit float types they do not even describe.
 */
export function isTensorType(type: string): type is TensorType {
  return (tensorTypes as readonly string[]).includes(type)
}

function bitsOf(data: TensorArrays[TensorType]): Uint16Array {
  const { buffer, byteOffset, length } = data as Float16Array
  return new Uint16Array(buffer, byteOffset, length)
}
