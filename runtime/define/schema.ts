import { Kind, type TSchema, type TUnsafe, TypeRegistry } from '@sinclair/typebox'
import { formatShape, isTensor, type Tensor, type TensorType, tensorTypes } from '../engine/tensor.ts'
import { type FileValue, isFileValue, isMediaRange } from './file-value.ts'
import { assertCount } from './options.ts'

/** What a {@link file} schema accepts. */
export interface FileOptions {
  /** The media types taken, such as `['image/png']`; a final star takes the family: `image/*`. @default any */
  readonly mediaTypes?: readonly string[]
  /** The largest file taken, in bytes. @default the limit on a whole body */
  readonly maxBytes?: number
  readonly description?: string
}

/** The schema of a file. */
export interface FileSchema extends TUnsafe<FileValue> {
  readonly [Kind]: typeof fileKind
  readonly type: 'string'
  readonly format: 'binary'
  readonly mediaTypes: readonly string[]
  readonly maxBytes?: number
}

/** The schema of a tensor. `dims` has a number where a dimension is fixed, a name or `null` where it is free. */
export interface TensorSchema<Type extends TensorType = TensorType> extends TUnsafe<Tensor<Type>> {
  readonly [Kind]: typeof tensorKind
  readonly tensorType: Type
  readonly dims: readonly (number | string | null)[]
}

const fileKind = 'IsoplexFile'
const tensorKind = 'IsoplexTensor'

/**
 * A file as input or output. Over HTTP it is the raw body under its own media type, a field of
 * `multipart/form-data`, or base64 text in JSON.
 *
 * @example
 * input: Type.Object({ picture: file({ mediaTypes: ['image/png', 'image/jpeg'], maxBytes: 10_000_000 }) })
 *
 * @throws {TypeError} where a media type is none, or `maxBytes` is not a whole number from 1.
 */
export function file(options: FileOptions = {}): FileSchema {
  const { mediaTypes = ['*/*'], ...rest } = options
  if (mediaTypes.length === 0 || !mediaTypes.every(isMediaRange)) {
    throw new TypeError(
      `"mediaTypes" must be names such as image/png or image/*; got [${mediaTypes.join(', ')}].`,
    )
  }
  if (rest.maxBytes !== undefined) assertCount('maxBytes', rest.maxBytes)
  return {
    ...rest,
    [Kind]: fileKind,
    type: 'string',
    format: 'binary',
    mediaTypes: Object.freeze(mediaTypes.map((mediaType) => mediaType.toLowerCase())),
  } as FileSchema
}

/**
 * A tensor as input or output. Over HTTP it is `{ "type", "dims", "data" }` in JSON, or raw little-endian
 * values as `application/octet-stream`, where at most one dimension may be free.
 *
 * @example
 * input: tensorOf('float32', ['batch', 1, 28, 28])
 *
 * @throws {TypeError} where the type is unknown, or a fixed dimension is not a whole number from 0.
 */
export function tensorOf<Type extends TensorType>(
  type: Type,
  dims: readonly (number | string | null)[],
): TensorSchema<Type> {
  if (!tensorTypes.includes(type)) {
    throw new TypeError(`"type" must be one of ${tensorTypes.join(', ')}; got ${String(type)}.`)
  }
  if (dims.some((dim) => typeof dim === 'number' && !(Number.isSafeInteger(dim) && dim >= 0))) {
    throw new TypeError(`"dims" must be whole numbers from 0, names or null; got ${formatShape(dims)}.`)
  }
  return {
    [Kind]: tensorKind,
    type: 'object',
    tensorType: type,
    dims: Object.freeze([...dims]),
    required: ['dims', 'data'],
    properties: {
      type: { const: type },
      dims: { type: 'array', items: { type: 'integer', minimum: 0 } },
      data: { type: 'array', description: `${type} values, row by row` },
    },
  } as unknown as TensorSchema<Type>
}

/** Whether a schema was made by {@link file}. */
export function isFileSchema(schema: TSchema): schema is FileSchema {
  return schema[Kind] === fileKind
}

/** Whether a schema was made by {@link tensorOf}. */
export function isTensorSchema(schema: TSchema): schema is TensorSchema {
  return schema[Kind] === tensorKind
}

/** Whether a media type is one of those that a file schema takes. */
export function takesMediaType(mediaTypes: readonly string[], mediaType: string): boolean {
  return mediaTypes.some((taken) => {
    if (taken === '*/*') return true
    return taken.endsWith('/*') ? mediaType.startsWith(taken.slice(0, -1)) : taken === mediaType
  })
}

function fileFits(schema: FileSchema, value: unknown): boolean {
  return (
    isFileValue(value) &&
    takesMediaType(schema.mediaTypes, value.mediaType) &&
    value.bytes.length <= (schema.maxBytes ?? Number.POSITIVE_INFINITY)
  )
}

function tensorFits(schema: TensorSchema, value: unknown): boolean {
  return (
    isTensor(value) &&
    value.type === schema.tensorType &&
    value.dims.length === schema.dims.length &&
    schema.dims.every((dim, axis) => typeof dim !== 'number' || dim === value.dims[axis])
  )
}

// TypeBox asks this registry for kinds that are not its own; it has no scope smaller than the process.
TypeRegistry.Set(fileKind, fileFits)
TypeRegistry.Set(tensorKind, tensorFits)
