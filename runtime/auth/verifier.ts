import {
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  type JWTVerifyOptions,
  jwtVerify,
  type ProtectedHeaderParameters,
} from 'jose'
import { LRUCache } from 'lru-cache'
import type { ErrorDetails } from '../error/codes.ts'
import { IsoplexError } from '../error/error.ts'
import type { TokenKey } from './key.ts'
import { isClaimText } from './token.ts'

/** What a verified token gives its holder. Frozen; the same object for the same token while it is cached. */
export interface Credentials {
  readonly modelId: string
  /** The tenant that the token names, `null` where it names none. */
  readonly tenant: string | null
  /** By whom fairness and quotas count: the tenant, else `default`. */
  readonly principal: string
  /** When the token ends, in milliseconds since 1970. */
  readonly expiresAtMs: number
}

/** How tokens are verified. */
export interface TokenVerifierOptions {
  /** The keys that are trusted. A token with a `kid` is held to the key of that id, another to any. */
  readonly keys: readonly TokenKey[]
  /** The `aud` that a token must name. Without it a token that names one is refused. @default none */
  readonly audience?: string | null
  /** How far the clocks of two machines may differ, in seconds, for `exp` and `nbf`. @default 5 */
  readonly clockToleranceSeconds?: number
  /** Most verified tokens that are remembered; the least recently used goes first. @default 10000 */
  readonly cacheSize?: number
  /** The clock, in milliseconds since 1970. @default Date.now */
  readonly now?: () => number
}

/** Verifies tokens and remembers those that are good. */
export interface TokenVerifier {
  /**
   * The credentials of a token: at once for one that was verified before, else by and by.
   *
   * @throws {IsoplexError} `TOKEN_INVALID` with the reason, as a rejection.
   */
  verify(token: string): Credentials | Promise<Credentials>
}

type Reason = ErrorDetails['TOKEN_INVALID']['reason']

const maxTokenLength = 16_384
const cachedLengthPerToken = 1024
const compactForm = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.([A-Za-z0-9_-]*)$/
const lastMoment = 8.64e15

/**
 * Makes a verifier of signed model tokens.
 *
 * A token must be signed by one of the keys with the key's own algorithm, carry `model` and `exp`, and be in
 * its time: `exp` and `nbf` bind, `iat` does not. A token is good in one spelling only. A remembered token is
 * forgotten at its `exp`, without tolerance.
 */
export function createTokenVerifier({
  keys,
  audience = null,
  clockToleranceSeconds = 5,
  cacheSize = 10_000,
  now = Date.now,
}: TokenVerifierOptions): TokenVerifier {
  const cache = new LRUCache<string, Credentials>({
    max: cacheSize,
    maxSize: Math.max(cacheSize * cachedLengthPerToken, maxTokenLength),
    sizeCalculation: (_, token) => token.length,
  })

  const verifyNew = async (token: string): Promise<Credentials> => {
    const claims = await verifyWithAny(token, selectKeys(token, keys), {
      clockTolerance: clockToleranceSeconds,
      currentDate: new Date(now()),
      requiredClaims: ['exp'],
      ...(audience === null ? {} : { audience }),
    })
    if (audience === null && claims.aud !== undefined) throw invalid('claims', 'is meant for another server')
    const credentials = toCredentials(claims)
    if (now() < credentials.expiresAtMs) cache.set(token, credentials)
    return credentials
  }

  return Object.freeze({
    verify: (token: string) => {
      const remembered = token.length > maxTokenLength ? undefined : cache.get(token)
      if (remembered !== undefined && now() < remembered.expiresAtMs) return remembered
      cache.delete(token)
      return verifyNew(token)
    },
  })
}

/** The keys that may have signed a token, by what its header says; the header is not trusted with more. */
function selectKeys(token: string, keys: readonly TokenKey[]): readonly TokenKey[] {
  const { alg, kid } = readHeader(token)
  const fitting = keys.filter(({ algorithm }) => algorithm === alg)
  if (fitting.length === 0) throw invalid('algorithm', 'is not signed with an algorithm of the keys here')
  const named = kid === undefined ? keys : keys.filter(({ id }) => id === kid)
  if (named.length === 0) throw invalid('signature', 'names a key that is not known here')
  const selected = named.filter((key) => fitting.includes(key))
  if (selected.length === 0) throw invalid('algorithm', 'is not signed with the algorithm of its key')
  return selected
}

function readHeader(token: string): ProtectedHeaderParameters {
  if (token.length > maxTokenLength) throw invalid('malformed', `is longer than ${maxTokenLength} characters`)
  const [, signature] = compactForm.exec(token) ?? []
  if (signature === undefined) throw invalid('malformed', 'is no signed JSON web token')
  try {
    return decodeProtectedHeader(token)
  } catch {
    throw invalid('malformed', 'has a header that cannot be read')
  }
}

async function verifyWithAny(
  token: string,
  keys: readonly TokenKey[],
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  // The last letter of a signature has bits to spare; a token that sets them would be another text of the same
  // token, and count as another wherever tokens are told apart by their text.
  const signature = token.slice(token.lastIndexOf('.') + 1)
  if (Buffer.from(signature, 'base64url').toString('base64url') !== signature) throw badSignature()
  for (const { algorithm, secret } of keys) {
    try {
      return (await jwtVerify(token, secret, { ...options, algorithms: [algorithm] })).payload
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw explain(error)
    }
  }
  throw badSignature()
}

/** Tells why jose refuses a token. Its own error is dropped: it carries the claims. */
function explain(error: unknown): unknown {
  if (error instanceof errors.JWTExpired) return invalid('expired', 'has expired; ask for a new one')
  if (error instanceof errors.JWTClaimValidationFailed) {
    return error.claim === 'nbf' && error.reason === 'check_failed'
      ? invalid('early', 'is not good yet; check the clock of the machine that made it')
      : invalid('claims', `has a claim "${error.claim}" that is missing or not acceptable`)
  }
  return error instanceof errors.JOSEError ? invalid('malformed', 'cannot be read') : error
}

function toCredentials({ model, tenant = null, exp }: JWTPayload): Credentials {
  if (!isClaimText(model)) throw invalid('claims', 'has a claim "model" that is missing or not acceptable')
  if (tenant !== null && !isClaimText(tenant))
    throw invalid('claims', 'has a claim "tenant" that is not acceptable')
  const expiresAtMs = Number(exp) * 1000
  if (!(expiresAtMs <= lastMoment)) throw invalid('claims', 'has a claim "exp" that is no point in time')
  return Object.freeze({ modelId: model, tenant, principal: tenant ?? 'default', expiresAtMs })
}

function badSignature(): IsoplexError<'TOKEN_INVALID'> {
  return invalid('signature', 'is signed by no key that is known here')
}

function invalid(reason: Reason, what: string): IsoplexError<'TOKEN_INVALID'> {
  return new IsoplexError('TOKEN_INVALID', `The model token ${what}.`, { details: { reason } })
}
