import { Kind, type TSchema, type TUnsafe, TypeRegistry } from '@sinclair/typebox'
import { formatShape, isTensor, type Tensor, type TensorType, tensorTypes } from '../engine/tensor.ts'
import { assertCount } from './options.ts'

/** A file in memory: what a {@link file} input arrives as, and what a function returns for a file output. */
export interface FileValue {
  readonly bytes: Uint8Array<ArrayBuffer>
  /** The media type without parameters, in lower case, such as `image/png`. */
  readonly mediaType: string
  /** The name that a multipart field gave, else `null`. It is the client's word: never a path. */
  readonly name: string | null
}

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

/** A type and a subtype (RFC 6838 section 4.2), or a star for either. */
const mediaRange = /^(\*|[a-z0-9][\w!#$&^.+-]*)\/(\*|[a-z0-9][\w!#$&^.+-]*)$/i

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
  if (mediaTypes.length === 0 || !mediaTypes.every((mediaType) => mediaRange.test(mediaType))) {
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

/**
 * Makes the value of a file output.
 *
 * @throws {TypeError} where `mediaType` is none, or has parameters.
 */
export function fileValue(
  bytes: Uint8Array<ArrayBuffer>,
  mediaType: string,
  name: string | null = null,
): FileValue {
  if (!isMediaType(mediaType)) {
    throw new TypeError(`"mediaType" must be a name such as image/png, without parameters; got ${mediaType}.`)
  }
  return Object.freeze({ bytes, mediaType: mediaType.toLowerCase(), name })
}

/** Whether a schema was made by {@link file}. */
export function isFileSchema(schema: TSchema): schema is FileSchema {
  return schema[Kind] === fileKind
}

/** Whether a schema was made by {@link tensorOf}. */
export function isTensorSchema(schema: TSchema): schema is TensorSchema {
  return schema[Kind] === tensorKind
}

/** Whether a text is one media type: `image/png`, without parameters and stars. */
export function isMediaType(text: string): boolean {
  return mediaRange.test(text) && !text.includes('*')
}

/** Whether a media type is one of those that a file schema takes. */
export function takesMediaType(mediaTypes: readonly string[], mediaType: string): boolean {
  return mediaTypes.some((taken) => {
    if (taken === '*/*') return true
    return taken.endsWith('/*') ? mediaType.startsWith(taken.slice(0, -1)) : taken === mediaType
  })
}

/** Whether a value is a file. It tests by form, as {@link isTensor} does for tensors. */
export function isFileValue(value: unknown): value is FileValue {
  return (
    typeof value === 'object' &&
    value !== null &&
    'bytes' in value &&
    value.bytes instanceof Uint8Array &&
    'mediaType' in value &&
    typeof value.mediaType === 'string' &&
    isMediaType(value.mediaType)
  )
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
