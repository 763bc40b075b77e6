import type { JWTPayload } from 'jose'
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
  decryptText,
  explainRefusal,
  holdToRules,
  openEncrypted,
  type TokenTime,
  verifySigned,
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

/** What is tried with each key that may have made a token. */
interface Trial<Proven> {
  /** Has the key prove or open the token; rejects where it does not. */
  prove(key: TokenKey, issuer: TokenIssuer): Promise<Proven>
  /** Makes the outcome of what was proven. */
  conclude(proven: Proven, key: TokenKey, issuer: TokenIssuer): ExaminedToken | Promise<ExaminedToken>
}

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
  if (header.form === 'signed') return examineSigned(token, header, examination)
  if (header.encryption !== contentEncryption) {
    throw invalidToken('algorithm', `is not encrypted with ${contentEncryption}`)
  }
  if (!header.nested) return examineEncrypted(token, header, examination)
  return tryKeys(header, examination, {
    prove: (key) => decryptText(token, key),
    async conclude(inner, { untilMs }) {
      const examined = await examineSigned(inner, readTokenHeader(inner), examination)
      return { ...examined, keyUntilMs: Math.min(examined.keyUntilMs, untilMs) }
    },
  })
}

function examineSigned(token: string, header: TokenHeader, examination: Examination): Promise<ExaminedToken> {
  if (header.form !== 'signed') throw invalidToken('malformed', 'holds another that is not signed')
  // Another spelling of the signature would be another text of the same token.
  const canonical = isBase64url(token.slice(token.lastIndexOf('.') + 1))
  return tryKeys(header, examination, {
    prove: (key, issuer) =>
      canonical ? verifySigned(token, key, issuer, examination) : Promise.reject(badSignature()),
    conclude: ({ payload }, { untilMs }, issuer) => ({
      credentials: toIssuedCredentials(holdToRules(payload, issuer, examination), issuer, { proves: true }),
      keyUntilMs: untilMs,
    }),
  })
}

function examineEncrypted(
  token: string,
  header: TokenHeader,
  examination: Examination,
): Promise<ExaminedToken> {
  return tryKeys(header, examination, {
    prove: (key, issuer) => openEncrypted(token, key, issuer, examination),
    conclude: ({ payload }, { algorithm, untilMs }, issuer) => ({
      // Only who has the secret can encrypt with it; whoever likes can for a public key.
      credentials: toIssuedCredentials(holdToRules(payload, issuer, examination), issuer, {
        proves: algorithm === 'dir',
      }),
      keyUntilMs: untilMs,
    }),
  })
}

function toIssuedCredentials(
  payload: JWTPayload,
  { name, rules, claims }: TokenIssuer,
  { proves }: { readonly proves: boolean },
): Credentials {
  return toCredentials(payload, {
    names: claims,
    issuer: name,
    proven: proves && rules === 'standard',
    emptyIsNone: rules === 'synapse',
  })
}

/** The outcome of the first key that fits; else the failure that says most. */
async function tryKeys<Proven>(
  header: TokenHeader,
  { issuers, nowMs }: Examination,
  { prove, conclude }: Trial<Proven>,
): Promise<ExaminedToken> {
  const failures: unknown[] = []
  for (const issuer of issuersOf(header, issuers)) {
    const found = keysOf(header, issuer)
    // To wait for what is at hand costs more than to look.
    const keys = found instanceof Promise ? await noting(failures, found) : found
    for (const key of keys) {
      if (nowMs >= key.untilMs) continue
      try {
        const outcome = conclude(await prove(key, issuer), key, issuer)
        return outcome instanceof Promise ? await outcome : outcome
      } catch (error) {
        failures.push(explainRefusal(error, header.form))
      }
    }
  }
  if (failures.length === 0) throw invalidToken('signature', 'names a key that is not known here')
  throw failures.toSorted((one, other) => weightOf(other) - weightOf(one))[0]
}

/** Waits for keys; why they cannot be had is noted, and there are none. */
async function noting(failures: unknown[], keys: Promise<readonly TokenKey[]>): Promise<readonly TokenKey[]> {
  try {
    return await keys
  } catch (error) {
    failures.push(error)
    return []
  }
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
