import type { TObject } from '@sinclair/typebox'
import { createChecker } from '../define/check.ts'
import type { Definition } from '../define/definition.ts'
import { createBodyDecoder } from './body-decoder.ts'
import { fillDefaults } from './default-value.ts'
import type { RequestHead } from './head.ts'
import { assertFits } from './refusal.ts'
import { valuesByName } from './text-value.ts'

/** A request's data, decoded and checked against the function's schemas. */
export interface Decoded {
  readonly input: unknown
  readonly params: unknown
  readonly query: unknown
}

/** Turns requests into checked data. */
export type Decoder = (head: RequestHead, body: Uint8Array<ArrayBuffer>) => Decoded

/**
 * Makes the decoder of a function.
 *
 * Path and query parameters stand for what they say as JSON where their schemas take no text. Defaults of the
 * schemas are filled in.
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

function createTextDecoder(
  schema: TObject,
  prefix: string,
): (texts: Iterable<readonly [string, string]>) => unknown {
  const checker = createChecker(schema)
  return (texts) => {
    const value = fillDefaults(schema, valuesByName(schema, texts))
    assertFits(checker, value, { prefix })
    return value
  }
}

function searchOf(url: string): URLSearchParams {
  const start = url.indexOf('?')
  return new URLSearchParams(start < 0 ? '' : url.slice(start))
}
