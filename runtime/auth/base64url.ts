const canonical = /^(?:[\w-]{4})*(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?$/

/**
 * Whether a text is base64url without padding in its one spelling (RFC 4648, section 3.5): the last letter may have
 * bits to spare, and a text that sets them would be another spelling of the same bytes.
 */
export function isBase64url(text: string): boolean {
  return canonical.test(text)
}

/** The bytes of such a text; `null` where it is none. */
export function decodeBase64url(text: string): Uint8Array<ArrayBuffer> | null {
  return isBase64url(text) ? Uint8Array.from(Buffer.from(text, 'base64url')) : null
}
