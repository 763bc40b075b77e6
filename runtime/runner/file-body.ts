import { Kind, type TObject, type TSchema } from '@sinclair/typebox'
import { type FileValue, fileValue, isMediaType } from '../define/file-value.ts'
import type { FileSchema } from '../define/schema.ts'
import { isFilledForm, valueOfForm } from './form-value.ts'
import { type FormPart, parseMultipart } from './multipart.ts'
import { invalidInput, pointerTo } from './refusal.ts'
import { valuesByName } from './text-value.ts'

const unknownMediaType = 'application/octet-stream'
const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Reads a file's JSON form: base64 text, or a `data:` URL where the media type must be told.
 *
 * @throws {IsoplexError} `INPUT_INVALID`
 */
export function fileFromJson(schema: FileSchema, json: unknown, pointer: string): unknown {
  // A multipart field has put a file there already.
  if (typeof json !== 'string') return json
  const [, urlType, text = json] = /^data:([^;,]+);base64,(.*)$/s.exec(json) ?? []
  const [only] = schema.mediaTypes.length === 1 ? schema.mediaTypes : []
  const mediaType = urlType ?? (only && isMediaType(only) ? only : unknownMediaType)
  if (!isMediaType(mediaType)) throw invalidInput(pointer, 'Expected a data: URL that names a media type')
  return fileValue(bytesOfBase64(text, pointer), mediaType)
}

function bytesOfBase64(text: string, pointer: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.fromBase64(text)
  } catch {
    throw invalidInput(pointer, 'Expected base64 text, or a data: URL with base64 text')
  }
}

/** A file's JSON form: a `data:` URL with base64 text. */
export function fileToJson({ bytes, mediaType }: FileValue): string {
  return `data:${mediaType};base64,${bytes.toBase64()}`
}

/**
 * Reads `multipart/form-data`. A form whose first part has no name and is JSON is the value of that JSON, where each
 * other part fills the place that its name points to, as `writeForm` has it. Any other form is read as pages and
 * command lines send it, by the schema of an object: a text field is JSON where the schema takes no text; an array is a
 * field that comes several times; a file field that was left empty is none.
 *
 * @throws {IsoplexError} `INPUT_INVALID`
 */
export function readMultipart(schema: TSchema, contentType: string, body: Uint8Array<ArrayBuffer>): unknown {
  const parts = parseMultipart(contentType, body)
  if (isFilledForm(parts)) return valueOfForm(parts)
  if (schema[Kind] !== 'Object')
    throw invalidInput('', 'Expected a form whose first part is JSON without a name')
  const filled = parts.filter(({ fileName, bytes }) => fileName !== '' || bytes.length > 0)
  return valuesByName(
    schema as TObject,
    filled.map((part) => [part.name, valueOfPart(part)]),
  )
}

function valueOfPart({ name, fileName, mediaType, bytes }: FormPart): string | FileValue {
  if (fileName !== null) {
    const known = mediaType !== null && isMediaType(mediaType) ? mediaType : unknownMediaType
    return fileValue(bytes, known, fileName || null)
  }
  try {
    return utf8.decode(bytes)
  } catch {
    throw invalidInput(pointerTo([name]), 'Expected text in UTF-8')
  }
}
