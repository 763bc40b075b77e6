import { IsoplexError } from '../../error/error.ts'

/** A text between quotes is the item of the draft; a bare one is what most clients send. */
const keyForm = /^(?:"([\x21\x23-\x5b\x5d-\x7e]{1,255})"|([\x21\x23-\x7e][\x21-\x7e]{0,254}))$/

/**
 * Reads the header `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header, section 2.1): 1 to 255 visible
 * characters, with or without quotes around them; `null` where it is not sent.
 *
 * @throws {IsoplexError} `REQUEST_MALFORMED`
 */
export function readIdempotencyKey(headers: Headers): string | null {
  const header = headers.get('idempotency-key')
  if (header === null) return null
  const [, quoted, bare] = keyForm.exec(header.trim()) ?? []
  const key = quoted ?? bare
  if (key !== undefined) return key
  throw new IsoplexError(
    'REQUEST_MALFORMED',
    'The header Idempotency-Key must be one text of 1 to 255 visible characters, such as a UUID.',
  )
}
