import { elementCount, numericArrays, Tensor, type TensorArrays, type TensorType } from '../engine/tensor.ts'

/** Some of a tensor's rows as a tensor, from `start` to before `end`; a view of the same memory, not a copy. */
export function sliceRows({ type, data, dims }: Tensor, start: number, end: number): Tensor {
  const rest = dims.slice(1)
  const length = elementCount(rest)
  const [from, to] = [start * length, end * length]
  // Arrays of texts have no views; both methods take the same bounds.
  const part = ArrayBuffer.isView(data) ? (data as Float32Array).subarray(from, to) : data.slice(from, to)
  return new Tensor(type, part as TensorArrays[TensorType], [end - start, ...rest])
}

/** One tensor of the rows of all of them, in their order; `null` where they differ in anything but their number. */
export function joinRows(tensors: readonly Tensor[]): Tensor | null {
  const [first] = tensors
  if (!first) return null
  const { type } = first
  const rest = first.dims.slice(1)
  const fits = tensors.every(
    (other) => other.type === type && other.dims.length > 0 && String(other.dims.slice(1)) === String(rest),
  )
  if (!fits) return null
  const rows = tensors.reduce((sum, { dims: [count = 0] }) => sum + count, 0)
  return new Tensor(type, joinData(type, tensors), [rows, ...rest])
}

function joinData(type: TensorType, tensors: readonly Tensor[]): TensorArrays[TensorType] {
  if (type === 'string') return tensors.flatMap(({ data }) => data as readonly string[])
  const length = tensors.reduce((sum, { size }) => sum + size, 0)
  // All arrays of one type take each other's elements, which the compiler cannot follow.
  const joined = new numericArrays[type](length) as Float32Array
  let offset = 0
  for (const { data } of tensors) {
    joined.set(data as Float32Array, offset)
    offset += data.length
  }
  return joined
}
