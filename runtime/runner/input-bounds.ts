import type { InputFetchOptions } from '../define/context.ts'
import { isMediaType } from '../define/file-value.ts'
import { assertCount } from '../define/options.ts'

const defaultMaxBytes = 10_485_760
const defaultTimeoutMs = 10_000
/** The longest delay that a timer takes. */
const longestTimeoutMs = 2 ** 31 - 1

/** What the fetch of an input is held to, on servers and in pages. */
export interface InputBounds {
  readonly maxBytes: number
  /** No longer than a timer can measure. */
  readonly timeoutMs: number
  /** The media types that are taken, in lower case. */
  readonly taken: readonly string[]
}

/** The bounds that a function asks for, with the defaults. @throws {TypeError} where an option is outside its bounds */
export function inputBoundsOf(options: InputFetchOptions): InputBounds {
  const { maxBytes = defaultMaxBytes, timeoutMs = defaultTimeoutMs, mediaTypes = ['*/*'] } = options
  assertCount('maxBytes', maxBytes)
  assertCount('timeoutMs', timeoutMs)
  return {
    maxBytes,
    timeoutMs: Math.min(timeoutMs, longestTimeoutMs),
    taken: mediaTypes.map((mediaType) => mediaType.toLowerCase()),
  }
}

/** The media type that a server says, without parameters; `application/octet-stream` where it says none. */
export function mediaTypeIn(headers: Headers): string {
  const mediaType = headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  return isMediaType(mediaType) ? mediaType : 'application/octet-stream'
}
