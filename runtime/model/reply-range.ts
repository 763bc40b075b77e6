/** How a server names what it sent, so that a later request can ask about it. */
export interface Validators {
  readonly etag: string | null
  readonly lastModified: string | null
}

/** How much older than its reply a date must be for a change in the same second to be out of the question. */
const strongDateMs = 60_000

/** Reads the validators of a reply. */
export function validatorsOf(headers: Headers): Validators {
  return { etag: headers.get('etag'), lastModified: headers.get('last-modified') }
}

/** The headers that ask for something only where it is not the same any more (RFC 9110, section 13.1). */
export function conditionOf({ etag, lastModified }: Validators): Readonly<Record<string, string>> {
  if (etag !== null) return { 'if-none-match': etag }
  return lastModified === null ? {} : { 'if-modified-since': lastModified }
}

/**
 * What `If-Range` may name of a reply: a strong entity tag, else a date that is surely older than any other version
 * (RFC 9110, sections 8.8.2.2 and 13.1.5); `null` where there is neither.
 */
export function rangeValidatorOf(headers: Headers): string | null {
  const { etag, lastModified } = validatorsOf(headers)
  if (etag !== null) return etag.startsWith('"') ? etag : null
  const ageMs = Date.parse(headers.get('date') ?? '') - Date.parse(lastModified ?? '')
  return ageMs >= strongDateMs ? lastModified : null
}

/** A range that a server sends; `totalBytes` is `null` where it does not know. */
export interface ContentRange {
  readonly firstByte: number
  readonly lastByte: number
  readonly totalBytes: number | null
}

/** Reads the header `Content-Range` (RFC 9110, section 14.4); `null` where it is none of bytes. */
export function contentRangeOf(headers: Headers): ContentRange | null {
  const match = /^bytes (\d{1,16})-(\d{1,16})\/(?:(\d{1,16})|\*)$/i.exec(headers.get('content-range') ?? '')
  if (match === null) return null
  const [, first, last, total] = match
  const totalBytes = total === undefined ? null : Number(total)
  return { firstByte: Number(first), lastByte: Number(last), totalBytes }
}

/** Reads the header `Content-Length`; `null` where there is none that is a number. */
export function contentLengthOf(headers: Headers): number | null {
  const text = headers.get('content-length')
  return text !== null && /^\d{1,16}$/.test(text) ? Number(text) : null
}

/** Reads the header `Retry-After` (RFC 9110, section 10.2.3), a number of seconds or a date; `null` where it is none. */
export function retryAfterMsOf(headers: Headers, nowMs: number): number | null {
  const text = headers.get('retry-after')
  if (text === null) return null
  if (/^\d{1,9}$/.test(text.trim())) return Number(text) * 1000
  const atMs = Date.parse(text)
  return Number.isNaN(atMs) ? null : Math.max(0, atMs - nowMs)
}
