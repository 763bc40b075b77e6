import type { TensorSchema } from '../define/schema.ts'
import {
  elementCount,
  formatShape,
  numericArrays,
  type Tensor,
  type TensorArrays,
  type TensorType,
  tensor,
} from '../engine/tensor.ts'
import { invalidInput } from './refusal.ts'

/**
 * Reads a tensor's raw little-endian values; its one free dimension follows from their number. The tensor is a
 * view of the bytes where they are aligned.
 *
 * @throws {IsoplexError} `INPUT_INVALID` where the bytes do not fit the shape, or several dimensions are free.
 */
export function tensorFromBytes(
  schema: Pick<TensorSchema, 'tensorType' | 'dims'>,
  bytes: Uint8Array<ArrayBuffer>,
  pointer: string,
): Tensor {
  const { tensorType: type, dims } = schema
  if (type === 'string') throw invalidInput(pointer, 'A string tensor comes as JSON only')
  const free = dims.filter((dim) => typeof dim !== 'number').length
  if (free > 1) throw invalidInput(pointer, `Raw bytes leave ${formatShape(dims)} open in ${free} dimensions`)
  const array = numericArrays[type]
  const count = bytes.length / array.BYTES_PER_ELEMENT
  const fixed = elementCount(dims.map((dim) => (typeof dim === 'number' ? dim : 1)))
  const size = free === 0 ? 1 : count / fixed
  if (!Number.isInteger(size) || fixed * size !== count) {
    throw invalidInput(
      pointer,
      `${bytes.length} bytes do not fill ${type} values of shape ${formatShape(dims)}`,
    )
  }
  // Not by slice(): that of a Buffer, which a socket gives, is a view that stays where it lies.
  const aligned = bytes.byteOffset % array.BYTES_PER_ELEMENT === 0 ? bytes : new Uint8Array(bytes)
  const data = new array(aligned.buffer, aligned.byteOffset, count) as TensorArrays[typeof type]
  if (type === 'bool' && aligned.some((byte) => byte > 1)) {
    throw invalidInput(pointer, 'A bool tensor is made of the bytes 0 and 1')
  }
  return tensorOfShape(
    type,
    data,
    dims.map((dim) => (typeof dim === 'number' ? dim : size)),
    pointer,
  )
}

/** A numeric tensor's values as bytes, without a copy. */
export function tensorToBytes({ data }: Tensor): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = data as Uint8Array<ArrayBuffer>
  return new Uint8Array(buffer, byteOffset, byteLength)
}

/**
 * Makes a tensor of data that has as many elements as its shape needs. What may still be wrong is a shape of too
 * many rows without elements.
 *
 * @throws {IsoplexError} `INPUT_INVALID`
 */
export function tensorOfShape<Type extends TensorType>(
  type: Type,
  data: TensorArrays[NoInfer<Type>],
  dims: readonly number[],
  pointer: string,
): Tensor<Type> {
  try {
    return tensor(type, data, dims)
  } catch (error) {
    throw invalidInput(pointer, error instanceof Error ? error.message : String(error))
  }
}
