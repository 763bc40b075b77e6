import { requestWhole, type WholeReply, type WholeRequest } from './whole-reply.ts'

/**
 * What a body is that was to be JSON: JSON, a page for people (of a proxy, a login), or neither, with the reason as
 * the end of a sentence that begins with the server.
 */
export type JsonBody =
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'html' }
  | { readonly kind: 'broken'; readonly why: string }

/** A request whose reply is to be JSON. */
export interface JsonRequest extends Omit<WholeRequest, 'maxBytes'> {
  /** @default 1048576 */
  readonly maxBytes?: number
}

/** A reply that was to be JSON. Its status may be any. */
export interface JsonReply extends Omit<WholeReply, 'bytes'> {
  readonly body: JsonBody
}

const defaultMaxBytes = 1_048_576
/** Whoever follows a value down must not run out of stack. */
const maxLevels = 64
const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Asks for JSON of bounded size and depth. What has come is told and not judged: a status may mean more than a body.
 *
 * @throws {IsoplexError} `URL_REFUSED`, also `too-large`; `FETCH_FAILED`; what `check` throws.
 */
export async function requestJson(options: JsonRequest): Promise<JsonReply> {
  const { maxBytes = defaultMaxBytes, headers } = options
  const { bytes, ...reply } = await requestWhole({
    ...options,
    maxBytes,
    headers: { accept: 'application/json', ...headers },
  })
  return { ...reply, body: readJson(bytes) }
}

/** Reads JSON in UTF-8. Whatever the server calls it does not count: many call JSON text, and some call a page JSON. */
export function readJson(bytes: Uint8Array): JsonBody {
  try {
    const value: unknown = JSON.parse(utf8.decode(bytes))
    return hasLevels(value, maxLevels)
      ? { kind: 'json', value }
      : { kind: 'broken', why: `sends JSON of more than ${maxLevels} levels` }
  } catch {
    const isPage = /^[\s\uFEFF]*</.test(new TextDecoder().decode(bytes.subarray(0, 1024)))
    return isPage ? { kind: 'html' } : { kind: 'broken', why: 'sends what is no JSON' }
  }
}

/** Whether a value has no more levels of arrays and objects than given. */
function hasLevels(value: unknown, most: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  return most > 0 && Object.values(value).every((item) => hasLevels(item, most - 1))
}
