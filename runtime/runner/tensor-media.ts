import { type Tensor, type TensorType, tensorTypes } from '../engine/tensor.ts'
import { tensorToBytes } from './tensor-bytes.ts'

/** What a tensor's media type says of it beside the bytes. */
export interface TensorLabel {
  readonly type: TensorType
  readonly dims: readonly number[]
}

/**
 * The media type of a tensor's bytes: `application/octet-stream; type=float32; dims="1,28,28"`, with the parameter
 * `type` that RFC 2046 (section 4.5.1) has for that. Texts have no bytes of their own: they are a list in JSON.
 */
export function tensorMediaType({ type, dims }: TensorLabel): string {
  const form = type === 'string' ? 'application/json' : 'application/octet-stream'
  return `${form}; type=${type}; dims="${dims.join(',')}"`
}

/** What {@link tensorMediaType} wrote; `null` where a media type tells of no tensor. */
export function readTensorMediaType(mediaType: string): TensorLabel | null {
  const type = /;\s*type="?(\w+)"?/i.exec(mediaType)?.[1]
  const dims = /;\s*dims="([^"]*)"/i.exec(mediaType)?.[1]
  return type === undefined || dims === undefined ? null : toTensorLabel(type, dims)
}

/** Reads an element type and dimensions with commas between; `null` where they are none. */
export function toTensorLabel(type: string, dims: string): TensorLabel | null {
  const known = tensorTypes.find((name) => name === type)
  if (!known || !/^(?:\d+(?:,\d+)*)?$/.test(dims)) return null
  const sizes = dims === '' ? [] : dims.split(',').map(Number)
  return sizes.every(Number.isSafeInteger) ? { type: known, dims: sizes } : null
}

/** The bytes that stand for a tensor under its media type. */
export function tensorBody(tensor: Tensor): Uint8Array<ArrayBuffer> {
  if (tensor.type === 'string') return new TextEncoder().encode(JSON.stringify(tensor.data))
  return tensorToBytes(tensor)
}
