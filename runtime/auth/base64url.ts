const letters = /^[\w-]*$/
// By how many letters are left after the last four: those that a last letter may be, whose spare bits are zero.
const lastLetters = [null, '', 'AQgw', 'AEIMQUYcgkosw048'] as const

/**
 * Whether a text is base64url without padding in its one spelling (RFC 4648, section 3.5): the last letter may have
 * bits to spare, and a text that sets them would be another spelling of the same bytes.
 */
export function isBase64url(text: string): boolean {
  return letters.test(text) && endsCanonically(text)
}

/** Whether a text of the letters of base64url ends as the one spelling of its bytes does. */
export function endsCanonically(text: string): boolean {
  const allowed = lastLetters[text.length % 4] ?? null
  return allowed === null || allowed.includes(text.at(-1) ?? ' ')
}

/** The bytes of such a text; `null` where it is none. */
export function decodeBase64url(text: string): Uint8Array<ArrayBuffer> | null {
  return isBase64url(text) ? Uint8Array.from(Buffer.from(text, 'base64url')) : null
}
