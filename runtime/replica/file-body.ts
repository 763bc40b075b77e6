import { Kind, type TObject, type TSchema } from '@sinclair/typebox'
import { type FileSchema, type FileValue, fileValue, isFileSchema } from '../define/schema.ts'
import { invalidInput } from './refusal.ts'

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
  const mediaType = urlType ?? (only && !only.includes('*') ? only : 'application/octet-stream')
  try {
    return fileValue(Uint8Array.fromBase64(text), mediaType.toLowerCase())
  } catch {
    throw invalidInput(pointer, 'Expected base64 text, or a data: URL with base64 text')
  }
}

/** A file's JSON form: a `data:` URL with base64 text. */
export function fileToJson({ bytes, mediaType }: FileValue): string {
  return `data:${mediaType};base64,${bytes.toBase64()}`
}

/**
 * Reads `multipart/form-data` into an object by the schema of an object. Text fields are JSON, except where
 * the schema asks for a string.
 *
 * @throws {IsoplexError} `INPUT_INVALID`
 */
export async function readMultipart(
  schema: TObject,
  contentType: string,
  body: Uint8Array<ArrayBuffer>,
): Promise<Record<string, unknown>> {
  const form = await new Response(body, { headers: { 'content-type': contentType } }).formData().catch(() => {
    throw invalidInput('', 'The body is not multipart/form-data with the boundary that its header names')
  })
  const value: Record<string, unknown> = {}
  for (const name of new Set(form.keys())) {
    const property: TSchema | undefined = Object.hasOwn(schema.properties, name)
      ? schema.properties[name]
      : undefined
    const fields = await Promise.all(form.getAll(name).map((field) => readField(field, property)))
    const [first] = fields
    Object.defineProperty(value, name, {
      value: property?.[Kind] === 'Array' ? fields : first,
      enumerable: true,
      writable: true,
      configurable: true,
    })
  }
  return value
}

async function readField(field: FormDataEntryValue, property: TSchema | undefined): Promise<unknown> {
  if (typeof field !== 'string') {
    const mediaType = field.type.split(';', 1)[0]?.toLowerCase() || 'application/octet-stream'
    return fileValue(await field.bytes(), mediaType, field.name || null)
  }
  const item = property?.[Kind] === 'Array' ? (property.items as TSchema) : property
  if (item === undefined || item[Kind] === 'String' || isFileSchema(item)) return field
  try {
    return JSON.parse(field)
  } catch {
    return field
  }
}
