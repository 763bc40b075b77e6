import type { TSchema } from '@sinclair/typebox'
import { createChecker } from '../define/check.ts'
import { toError } from '../define/definition.ts'
import { fileValue, isFileValue, isMediaType } from '../define/file-value.ts'
import { isFileSchema, type TensorSchema, takesMediaType } from '../define/schema.ts'
import { acceptedMediaTypes, findSlots, rawSlot, replaceInSlot, type Slot } from '../define/slot.ts'
import { isTensor, type Tensor } from '../engine/tensor.ts'
import { IsoplexError } from '../error/error.ts'
import { fillDefaults, hasDefault } from './default-value.ts'
import { fileFromJson, readMultipart } from './file-body.ts'
import { tensorOfLabel } from './form-value.ts'
import type { RequestHead } from './head.ts'
import { parseJson } from './json-text.ts'
import { assertFits, invalidInput, pointerTo } from './refusal.ts'
import { tensorFromBytes } from './tensor-bytes.ts'
import { tensorFromJson } from './tensor-json.ts'
import { readTensorMediaType } from './tensor-media.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Turns a request's body into checked data. */
export type BodyDecoder = (head: RequestHead, body: Uint8Array<ArrayBuffer>) => unknown

/**
 * Makes the decoder of a body: JSON, a form with files, or the bytes of one file or tensor, as the schema has it.
 * A body without a media type is taken for JSON. Defaults of the schema are filled in.
 *
 * The decoder throws `MEDIA_TYPE_UNSUPPORTED`, or `INPUT_INVALID` with the first 32 places that do not fit.
 */
export function createBodyDecoder(schema: TSchema): BodyDecoder {
  const checker = createChecker(schema)
  const decode = createFormDecoder(schema)
  const hasDefaults = hasDefault(schema)
  return (head, body) => {
    const value = decode(head, body)
    const filled = hasDefaults ? fillDefaults(schema, value) : value
    assertFits(checker, filled)
    return filled
  }
}

/** Makes what puts files and tensors in their places in a value that came as JSON, such as an item of a stream. */
export function createItemReader(schema: TSchema): (item: unknown) => unknown {
  const slots = findSlots(schema)
  return (item) => fromJson(item, slots)
}

/** Decodes without a check, by the media type. */
function createFormDecoder(schema: TSchema): BodyDecoder {
  const slots = findSlots(schema)
  const raw = rawSlot(schema)
  const accepted = acceptedMediaTypes(schema)
  return ({ contentType }, body) => {
    const mediaType = mediaTypeOf(contentType)
    if (mediaType === 'application/json') return fromJson(parseBody(body), slots)
    if (mediaType === 'multipart/form-data' && accepted.includes(mediaType)) {
      return fromJson(readMultipart(schema, contentType ?? '', body), slots)
    }
    if (raw && takesRaw(raw, mediaType)) return fromRaw(raw, body, contentType ?? mediaType)
    if (mediaType.endsWith('+json')) return fromJson(parseBody(body), slots)
    throw new IsoplexError(
      'MEDIA_TYPE_UNSUPPORTED',
      `A body of type ${mediaType.slice(0, 128)} is not taken here; send ${accepted.join(' or ')}.`,
      { details: { accepted } },
    )
  }
}

function parseBody(body: Uint8Array<ArrayBuffer>): unknown {
  if (body.length === 0) throw invalidInput('', 'A body is required; it is empty')
  try {
    return parseJson(utf8.decode(body))
  } catch (error) {
    const { message } = toError(error)
    throw invalidInput('', error instanceof RangeError ? message : `The body is not JSON: ${message}`)
  }
}

/** Puts files and tensors where JSON stood for them. */
function fromJson(value: unknown, slots: readonly Slot[]): unknown {
  return slots.reduce((root, { path, schema }) => {
    return replaceInSlot(root, path, (json, walked) =>
      isFileSchema(schema)
        ? fileFromJson(schema, json, pointerTo(walked))
        : tensorOf(schema, json, pointerTo(walked)),
    )
  }, value)
}

/** A part of a form has put a tensor there already, or bytes that say nothing of themselves. */
function tensorOf(schema: TensorSchema, value: unknown, pointer: string): Tensor {
  if (isTensor(value)) return value
  return isFileValue(value)
    ? tensorFromBytes(schema, value.bytes, pointer)
    : tensorFromJson(schema, value, pointer)
}

function takesRaw({ schema }: Slot, mediaType: string): boolean {
  return isFileSchema(schema)
    ? isMediaType(mediaType) && takesMediaType(schema.mediaTypes, mediaType)
    : mediaType === 'application/octet-stream'
}

function fromRaw({ path, schema }: Slot, body: Uint8Array<ArrayBuffer>, contentType: string): unknown {
  const value = isFileSchema(schema)
    ? fileValue(body, mediaTypeOf(contentType))
    : rawTensor(schema, body, contentType, pointerTo(path))
  const [name] = path
  return name === undefined ? value : { [name]: value }
}

/** Bytes that say what they are are taken at their word, which the schema then checks. */
function rawTensor(
  schema: TensorSchema,
  body: Uint8Array<ArrayBuffer>,
  contentType: string,
  pointer: string,
): Tensor {
  const label = readTensorMediaType(contentType)
  return label ? tensorOfLabel(label, body, pointer) : tensorFromBytes(schema, body, pointer)
}

function mediaTypeOf(contentType: string | null): string {
  return contentType?.split(';', 1)[0]?.trim().toLowerCase() || 'application/json'
}
