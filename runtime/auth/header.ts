import { decodeProtectedHeader, type ProtectedHeaderParameters } from 'jose'
import { endsCanonically } from './base64url.ts'
import { invalidToken } from './invalid-token.ts'

/** What the header of a token says, before anything is known to be true. */
export interface TokenHeader {
  /** Three segments are a signed token (JWS), five an encrypted one (JWE). */
  readonly form: 'signed' | 'encrypted'
  /** The `alg`, whatever it may be; `null` where it is no text. */
  readonly algorithm: string | null
  /** The `kid`: `undefined` where there is none, `null` where it is no text. */
  readonly keyId: string | null | undefined
  /** The `enc` of an encrypted token. */
  readonly encryption: unknown
  /** Whether an encrypted token says that it holds a signed one: `cty` is `JWT` (RFC 7519, section 5.2). */
  readonly nested: boolean
}

/** The longest token that is looked into, in characters. */
export const maxTokenLength = 16_384

const segment = '[A-Za-z0-9_-]+'
const signedForm = new RegExp(`^(${segment})\\.(${segment})\\.[A-Za-z0-9_-]*$`)
// An encrypted key is empty where the content key is agreed upon or known beforehand.
const encryptedForm = new RegExp(
  `^(${segment})\\.([A-Za-z0-9_-]*)\\.(${segment})\\.(${segment})\\.(${segment})$`,
)

/**
 * Reads the header of a token in compact form. Nothing of it is to be trusted: it serves to choose a key, whose own
 * algorithm then counts. Keys, and addresses of keys, that a header brings along are not even read.
 *
 * A token is good in one spelling only: each segment but the signature is held to it here, the signature by whoever
 * checks it. Extensions (`crit`) and compression (`zip`, a bomb) are refused.
 *
 * @throws {IsoplexError} `TOKEN_INVALID`, `malformed`.
 */
export function readTokenHeader(token: string): TokenHeader {
  if (token.length > maxTokenLength)
    throw invalidToken('malformed', `is longer than ${maxTokenLength} characters`)
  const signed = signedForm.exec(token)
  const segments = (signed ?? encryptedForm.exec(token))?.slice(1)
  if (segments === undefined) throw invalidToken('malformed', 'is no signed or encrypted JSON web token')
  if (!segments.every(endsCanonically)) throw invalidToken('malformed', 'has a segment that is no base64url')
  const { alg, kid, enc, cty, crit, zip } = decodeHeader(token)
  if (crit !== undefined) throw invalidToken('malformed', 'needs an extension that is not known here')
  if (zip !== undefined) throw invalidToken('malformed', 'is compressed, which is not taken')
  return {
    form: signed === null ? 'encrypted' : 'signed',
    algorithm: textOrNull(alg),
    keyId: kid === undefined ? undefined : textOrNull(kid),
    encryption: enc,
    nested: typeof cty === 'string' && cty.toUpperCase() === 'JWT',
  }
}

function decodeHeader(token: string): ProtectedHeaderParameters {
  try {
    return decodeProtectedHeader(token)
  } catch {
    throw invalidToken('malformed', 'has a header that cannot be read')
  }
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}
