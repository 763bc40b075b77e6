/** Messages between a test and a page's worker: values with tensors in them, as bytes. */
import {
  isTensor,
  numericArrays,
  Tensor,
  type TensorArrays,
  type TensorType,
} from '../../runtime/engine/tensor.ts'

/** Bytes that nobody else changes. */
export type Bytes = Uint8Array<ArrayBuffer>

interface TensorPlace {
  readonly $tensor: TensorType
  readonly dims: readonly number[]
  readonly offset: number
  readonly length: number
  readonly texts?: readonly string[]
  /** Whether the tensor lay in memory that threads share. */
  readonly shared: boolean
}

/** A value as bytes: its JSON, then the elements of the tensors in it. */
export function encodeMessage(value: unknown): Bytes {
  const chunks: Uint8Array[] = []
  let offset = 0
  const place = (tensor: Tensor): TensorPlace => {
    const { type, dims, data } = tensor
    if (type === 'string') {
      return { $tensor: type, dims, offset, length: 0, texts: data as readonly string[], shared: false }
    }
    const { buffer, byteOffset, byteLength, length } = data as Uint8Array
    const placed = { $tensor: type, dims, offset, length, shared: isShared(buffer) }
    // Memory that was handed away cannot even be viewed.
    if (byteLength > 0) chunks.push(new Uint8Array(buffer, byteOffset, byteLength))
    offset += Math.ceil(byteLength / 8) * 8
    return placed
  }
  const json = JSON.stringify(value, (_, member: unknown) => (isTensor(member) ? place(member) : member))
  const head = new TextEncoder().encode(json)
  const start = 8 + Math.ceil(head.length / 8) * 8
  const message = new Uint8Array(start + offset)
  new DataView(message.buffer).setUint32(0, head.length)
  message.set(head, 8)
  let position = start
  for (const chunk of chunks) {
    message.set(chunk, position)
    position += Math.ceil(chunk.length / 8) * 8
  }
  return message
}

function isShared(buffer: ArrayBufferLike): boolean {
  // By its tag: pages that are not isolated have no name for its class.
  return Object.prototype.toString.call(buffer) === '[object SharedArrayBuffer]'
}

/** The value of a message; its tensors are views of the message's memory. */
export function decodeMessage(message: Bytes): unknown {
  const length = new DataView(message.buffer, message.byteOffset).getUint32(0)
  const start = 8 + Math.ceil(length / 8) * 8
  const head = new TextDecoder().decode(message.subarray(8, 8 + length))
  return JSON.parse(head, (_, member: unknown) =>
    typeof member === 'object' && member !== null && '$tensor' in member
      ? tensorAt(member as TensorPlace, message, start)
      : member,
  )
}

function tensorAt(
  { $tensor: type, dims, offset, length, texts, shared }: TensorPlace,
  message: Bytes,
  start: number,
): Tensor {
  // As it came, not as it should be: it is for the engine to refuse a tensor that is none.
  if (type === 'string') return new Tensor(type, texts as TensorArrays['string'], dims)
  const view = new numericArrays[type](message.buffer, message.byteOffset + start + offset, length)
  return new Tensor(type, shared ? sharedCopy(type, view as Uint8Array) : view, dims)
}

function sharedCopy(
  type: Exclude<TensorType, 'string'>,
  view: Uint8Array,
): TensorArrays[Exclude<TensorType, 'string'>] {
  // Pages that are not isolated have no constructor of shared memory, but may make some this way.
  const { buffer } = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })
  const copy = new numericArrays[type](buffer, 0, view.length)
  ;(copy as Uint8Array).set(view)
  return copy
}
