import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify, type ProtectedHeaderParameters } from 'jose'
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
const compactForm = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)$/

/**
 * Makes a verifier of signed model tokens.
 *
 * A token must be signed by one of the keys with the key's own algorithm, carry `model` and `exp`, and be in
 * its time (`exp`, `nbf`; `iat` binds nothing). A token is good in one spelling only. A remembered token is
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
    maxSize: cacheSize * cachedLengthPerToken,
    sizeCalculation: (_, token) => token.length,
  })
  return Object.freeze({ verify })
}
