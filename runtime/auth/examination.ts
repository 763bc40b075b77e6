import { isIsoplexError } from '../error/error.ts'
import { isBase64url } from './base64url.ts'
import { toCredentials } from './claims.ts'
import type { Credentials } from './credentials.ts'
import { readTokenHeader, type TokenHeader } from './header.ts'
import { invalidToken } from './invalid-token.ts'
import type { TokenIssuer } from './issuer.ts'
import { type KeySource, signingAlgorithms, type TokenKey } from './key.ts'
import {
  badSignature,
  contentEncryption,
  decryptClaims,
  decryptText,
  type TokenTime,
  verifyClaims,
} from './proof.ts'

/** A token that was found good. */
export interface ExaminedToken {
  readonly credentials: Credentials
  /** When a key that it rests on stops to count, in milliseconds since 1970. */
  readonly keyUntilMs: number
}

/** By what a token is examined. */
export interface Examination extends TokenTime {
  readonly issuers: readonly TokenIssuer[]
}

type Attempt = (key: TokenKey, issuer: TokenIssuer) => Promise<ExaminedToken>

/**
 * Examines a token. Its form, and the `alg` and `kid` of its header, choose the keys that may have made it; a key is
 * used with its own algorithm only, and nothing else of the token counts before one of them has proven or opened it.
 *
 * What is encrypted for a public key may be anybody's and proves nothing by itself; a signed token within does.
 *
 * @throws {IsoplexError} `TOKEN_INVALID` with the reason; `FETCH_FAILED` where an issuer's keys cannot be had now and
 * no other key is right.
 */
export async function examineToken(token: string, examination: Examination): Promise<ExaminedToken> {
  const header = readTokenHeader(token)
  return header.form === 'signed'
    ? examineSigned(token, header, examination)
    : examineEncrypted(token, header, examination)
}

function examineEncrypted(
  token: string,
  header: TokenHeader,
  examination: Examination,
): Promise<ExaminedToken> {
  if (header.encryption !== contentEncryption) {
    throw invalidToken('algorithm', `is not encrypted with ${contentEncryption}`)
  }
  const open: Attempt = async (key, issuer) => {
    if (!header.nested) {
      const payload = await decryptClaims(token, key, issuer, examination)
      // Only who has the secret can encrypt with it; whoever likes can for a public key.
      return accept(payload, key, issuer, { proves: key.algorithm === 'dir' })
    }
    const inner = await decryptText(token, key)
    const examined = await examineSigned(inner, readTokenHeader(inner), examination)
    return { ...examined, keyUntilMs: Math.min(examined.keyUntilMs, key.untilMs) }
  }
  return tryKeys(header, examination, open)
}

function examineSigned(token: string, header: TokenHeader, examination: Examination): Promise<ExaminedToken> {
  if (header.form !== 'signed') throw invalidToken('malformed', 'holds another that is not signed')
  return tryKeys(header, examination, async (key, issuer) => {
    // Another spelling of the signature would be another text of the same token.
    if (!isBase64url(token.slice(token.lastIndexOf('.') + 1))) throw badSignature()
    return accept(await verifyClaims(token, key, issuer, examination), key, issuer, { proves: true })
  })
}

function accept(
  payload: Awaited<ReturnType<typeof verifyClaims>>,
  { untilMs }: TokenKey,
  { name, rules, claims }: TokenIssuer,
  { proves }: { readonly proves: boolean },
): ExaminedToken {
  const reading = {
    names: claims,
    issuer: name,
    proven: proves && rules === 'standard',
    emptyIsNone: rules === 'synapse',
  }
  return { credentials: toCredentials(payload, reading), keyUntilMs: untilMs }
}

/** The outcome of the first key that fits; else the failure that says most. */
async function tryKeys(
  header: TokenHeader,
  { issuers, nowMs }: Examination,
  attempt: Attempt,
): Promise<ExaminedToken> {
  const failures: unknown[] = []
  for (const issuer of issuersOf(header, issuers)) {
    try {
      const found = keysOf(header, issuer)
      // To wait for what is at hand costs more than to look.
      const keys = found instanceof Promise ? await found : found
      for (const key of keys) {
        if (nowMs >= key.untilMs) continue
        try {
          return await attempt(key, issuer)
        } catch (error) {
          failures.push(error)
        }
      }
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length === 0) throw invalidToken('signature', 'names a key that is not known here')
  throw failures.toSorted((one, other) => weightOf(other) - weightOf(one))[0]
}

/** How much a failure says: that the right key was found, that it may not be known yet, or nothing. */
function weightOf(failure: unknown): number {
  if (!isIsoplexError(failure) || failure.code !== 'TOKEN_INVALID') return 1
  return failure.details.reason === 'signature' ? 0 : 2
}

function issuersOf(
  { form, algorithm }: TokenHeader,
  issuers: readonly TokenIssuer[],
): readonly TokenIssuer[] {
  const known = issuers.filter(({ keys }) =>
    keys.algorithms.some(
      (own) => own === algorithm && signingAlgorithms.includes(own) === (form === 'signed'),
    ),
  )
  if (known.length > 0) return known
  const done = form === 'signed' ? 'signed' : 'encrypted'
  throw invalidToken('algorithm', `is not ${done} with an algorithm of the keys here`)
}

function keysOf({ algorithm, keyId }: TokenHeader, { keys }: TokenIssuer): ReturnType<KeySource['select']> {
  const own = keys.algorithms.find((candidate) => candidate === algorithm)
  return own === undefined || keyId === null ? [] : keys.select(own, keyId)
}
