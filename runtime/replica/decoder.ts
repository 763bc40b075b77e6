import type { TObject, TSchema } from '@sinclair/typebox'
import { type Checker, createChecker } from '../define/check.ts'
import type { Definition } from '../define/definition.ts'
import { fileValue, isFileSchema, isMediaType, takesMediaType } from '../define/schema.ts'
import { acceptedMediaTypes, findSlots, rawSlot, replaceInSlot, type Slot } from '../define/slot.ts'
import { IsoplexError } from '../error/error.ts'
import { fillDefaults, hasDefault } from './default-value.ts'
import { fileFromJson, readMultipart } from './file-body.ts'
import type { RequestHead } from './message.ts'
import { invalidInput, refuseInput } from './refusal.ts'
import { tensorFromBytes, tensorFromJson } from './tensor-body.ts'
import { gatherByName, valueOfTexts } from './text-value.ts'

/** A request's data, decoded and checked against the function's schemas. */
export interface Decoded {
  readonly input: unknown
  readonly params: unknown
  readonly query: unknown
}

/** Turns requests into checked data. */
export type Decoder = (head: RequestHead, body: Uint8Array<ArrayBuffer>) => Promise<Decoded>

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
  return async (head, body) => ({
    params: params?.(Object.entries(head.params)),
    query: query?.(searchOf(head.url)),
    input: await input?.(head, body),
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

function createBodyDecoder(
  schema: TSchema,
): (head: RequestHead, body: Uint8Array<ArrayBuffer>) => Promise<unknown> {
  const checker = createChecker(schema)
  const slots = findSlots(schema)
  const raw = rawSlot(schema)
  const accepted = acceptedMediaTypes(schema)
  const fillDefaults = containsDefault(schema)
  return async ({ contentType }, body) => {
    const mediaType = mediaTypeOf(contentType)
    const value = await decodeBody()
    const filled = fillDefaults ? Value.Default(schema, value) : value
    check(checker, filled)
    return filled

    async function decodeBody(): Promise<unknown> {
      if (raw && mediaType !== 'application/json' && takesRaw(raw, mediaType)) {
        return wrapRaw(raw, decodeRaw(raw, body, mediaType))
      }
      if (mediaType === 'application/json' || mediaType.endsWith('+json'))
        return fromJson(parseJson(body), slots)
      if (mediaType === 'multipart/form-data' && accepted.includes(mediaType)) {
        return fromJson(await readMultipart(schema as TObject, contentType ?? '', body), slots)
      }
      throw new IsoplexError(
        'MEDIA_TYPE_UNSUPPORTED',
        `A body of type ${mediaType} is not taken here; send ${accepted.join(' or ')}.`,
        { details: { accepted } },
      )
    }
  }
}

function parseJson(body: Uint8Array<ArrayBuffer>): unknown {
  if (body.length === 0) throw invalidInput('', 'A body is required; it is empty')
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch (error) {
    throw invalidInput('', `The body is not JSON: ${error instanceof Error ? error.message : error}`)
  }
}

/** Puts files and tensors where JSON stood for them. */
function fromJson(value: unknown, slots: readonly Slot[]): unknown {
  return slots.reduce((root, { path, schema }) => {
    return replaceInSlot(root, path, (json, walked) => {
      const pointer = walked.map((name) => `/${name}`).join('')
      return isFileSchema(schema)
        ? fileFromJson(schema, json, pointer)
        : tensorFromJson(schema, json, pointer)
    })
  }, value)
}

function takesRaw({ schema }: Slot, mediaType: string): boolean {
  return isFileSchema(schema)
    ? takesMediaType(schema.mediaTypes, mediaType)
    : mediaType === 'application/octet-stream'
}

function decodeRaw({ schema }: Slot, body: Uint8Array<ArrayBuffer>, mediaType: string): unknown {
  return isFileSchema(schema as FileSchema)
    ? { bytes: body, mediaType, name: null }
    : tensorFromBytes(schema as TensorSchema, body)
}

function wrapRaw({ path }: Slot, value: unknown): unknown {
  const [name] = path
  return name === undefined ? value : { [name]: value }
}

function mediaTypeOf(contentType: string | null): string {
  return contentType?.split(';', 1)[0]?.trim().toLowerCase() || 'application/json'
}

function containsDefault(schema: unknown): boolean {
  if (typeof schema !== 'object' || schema === null) return false
  return Object.hasOwn(schema, 'default') || Object.values(schema).some(containsDefault)
}
