import type { TObject, TSchema } from '@sinclair/typebox'
import { type Checker, createChecker } from '../define/check.ts'
import type { Definition } from '../define/definition.ts'
import { fileValue, isFileSchema, isMediaType, takesMediaType } from '../define/schema.ts'
import { acceptedMediaTypes, findSlots, rawSlot, replaceInSlot, type Slot } from '../define/slot.ts'
import { IsoplexError } from '../error/error.ts'
import { fillDefaults, hasDefault } from './default-value.ts'
import { fileFromJson, readMultipart } from './file-body.ts'
import type { RequestHead } from './message.ts'
import { invalidInput, pointerTo, refuseInput } from './refusal.ts'
import { tensorFromBytes, tensorFromJson } from './tensor-body.ts'
import { valuesByName } from './text-value.ts'

/** A request's data, decoded and checked against the function's schemas. */
export interface Decoded {
  readonly input: unknown
  readonly params: unknown
  readonly query: unknown
}

/** Turns requests into checked data. */
export type Decoder = (head: RequestHead, body: Uint8Array<ArrayBuffer>) => Decoded

const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Makes the decoder of a function.
 *
 * A body without a content type is taken for JSON. Path and query parameters, and the text fields of a form,
 * stand for what they say as JSON where their schemas take no text. Defaults of the schemas are filled in.
 *
 * The decoder throws `MEDIA_TYPE_UNSUPPORTED`, or `INPUT_INVALID` with the first 32 places that do not fit;
 * those of the path begin with `/params`, those of the query with `/query`.
 */
export function createDecoder(definition: Definition): Decoder {
  const params = definition.params && createTextDecoder(definition.params, '/params')
  const query = definition.query && createTextDecoder(definition.query, '/query')
  const input = definition.input && createBodyDecoder(definition.input)
  return (head, body) => ({
    params: params?.(Object.entries(head.params)),
    query: query?.(searchOf(head.url)),
    input: input?.(head, body),
  })
}

function check(checker: Checker, value: unknown, prefix = ''): void {
  const issues = checker.issues(value)
  if (issues.length > 0) throw refuseInput(issues.map((issue) => ({ ...issue, path: prefix + issue.path })))
}

function createTextDecoder(
  schema: TObject,
  prefix: string,
): (texts: Iterable<readonly [string, string]>) => unknown {
  const checker = createChecker(schema)
  return (texts) => {
    const value = fillDefaults(schema, valuesByName(schema, texts))
    check(checker, value, prefix)
    return value
  }
}

function searchOf(url: string): URLSearchParams {
  const start = url.indexOf('?')
  return new URLSearchParams(start < 0 ? '' : url.slice(start))
}

type BodyDecoder = (head: RequestHead, body: Uint8Array<ArrayBuffer>) => unknown

function createBodyDecoder(schema: TSchema): BodyDecoder {
  const checker = createChecker(schema)
  const decode = createFormDecoder(schema)
  const hasDefaults = hasDefault(schema)
  return (head, body) => {
    const value = decode(head, body)
    const filled = hasDefaults ? fillDefaults(schema, value) : value
    check(checker, filled)
    return filled
  }
}

/** Reads the forms in which a body may come: JSON, a form with files, or the bytes of one file or tensor. */
function createFormDecoder(schema: TSchema): BodyDecoder {
  const slots = findSlots(schema)
  const raw = rawSlot(schema)
  const accepted = acceptedMediaTypes(schema)
  return ({ contentType }, body) => {
    const mediaType = mediaTypeOf(contentType)
    if (mediaType === 'application/json') return fromJson(parseJson(body), slots)
    if (mediaType === 'multipart/form-data' && accepted.includes(mediaType)) {
      return fromJson(readMultipart(schema as TObject, contentType ?? '', body), slots)
    }
    if (raw && takesRaw(raw, mediaType)) return fromRaw(raw, body, mediaType)
    if (mediaType.endsWith('+json')) return fromJson(parseJson(body), slots)
    throw new IsoplexError(
      'MEDIA_TYPE_UNSUPPORTED',
      `A body of type ${mediaType.slice(0, 128)} is not taken here; send ${accepted.join(' or ')}.`,
      { details: { accepted } },
    )
  }
}

function parseJson(body: Uint8Array<ArrayBuffer>): unknown {
  if (body.length === 0) throw invalidInput('', 'A body is required; it is empty')
  try {
    return JSON.parse(utf8.decode(body))
  } catch (error) {
    throw invalidInput('', `The body is not JSON: ${error instanceof Error ? error.message : error}`)
  }
}

/** Puts files and tensors where JSON stood for them. */
function fromJson(value: unknown, slots: readonly Slot[]): unknown {
  return slots.reduce((root, { path, schema }) => {
    return replaceInSlot(root, path, (json, walked) =>
      isFileSchema(schema)
        ? fileFromJson(schema, json, pointerTo(walked))
        : tensorFromJson(schema, json, pointerTo(walked)),
    )
  }, value)
}

function takesRaw({ schema }: Slot, mediaType: string): boolean {
  return isFileSchema(schema)
    ? isMediaType(mediaType) && takesMediaType(schema.mediaTypes, mediaType)
    : mediaType === 'application/octet-stream'
}

function fromRaw({ path, schema }: Slot, body: Uint8Array<ArrayBuffer>, mediaType: string): unknown {
  const value = isFileSchema(schema)
    ? fileValue(body, mediaType)
    : tensorFromBytes(schema, body, pointerTo(path))
  const [name] = path
  return name === undefined ? value : { [name]: value }
}

function mediaTypeOf(contentType: string | null): string {
  return contentType?.split(';', 1)[0]?.trim().toLowerCase() || 'application/json'
}
