/** A file in memory: what a `file()` input arrives as, and what a function returns for a file output. */
export interface FileValue {
  readonly bytes: Uint8Array<ArrayBuffer>
  /** The media type without parameters, in lower case, such as `image/png`. */
  readonly mediaType: string
  /** The name that a multipart field gave, else `null`. It is the client's word: never a path. */
  readonly name: string | null
}

/** A type and a subtype (RFC 6838 section 4.2), or a star for either. */
const mediaRange = /^(\*|[a-z0-9][\w!#$&^.+-]*)\/(\*|[a-z0-9][\w!#$&^.+-]*)$/i

/**
 * Makes the value of a file.
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

/** Whether a value is a file. It tests by form, as `isTensor` does for tensors. */
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

/** Whether a text is one media type: `image/png`, without parameters and stars. */
export function isMediaType(text: string): boolean {
  return isMediaRange(text) && !text.includes('*')
}

/** Whether a text is a media type or a family of them, such as `image/*`; without parameters. */
export function isMediaRange(text: string): boolean {
  return mediaRange.test(text)
}
