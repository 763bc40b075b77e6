import { LRUCache } from 'lru-cache'
import type { Credentials } from './credentials.ts'
import { type ExaminedToken, examineToken } from './examination.ts'
import { maxTokenLength } from './header.ts'
import type { TokenIssuer } from './issuer.ts'

/** How tokens are verified. */
export interface TokenVerifierOptions {
  /**
   * Who is trusted. A token with a `kid` is held to keys of that id, another to any of its algorithm. They are asked
   * in this order: those whose keys are at hand had better come first.
   */
  readonly issuers: readonly TokenIssuer[]
  /** How far the clocks of two machines may differ, in seconds, for `exp` and `nbf`. @default 5 */
  readonly clockToleranceSeconds?: number
  /** Most verified tokens that are remembered; the least recently used goes first. @default 10000 */
  readonly cacheSize?: number
  /** How long a verified token is remembered at most, and so trusted beyond its key's end. @default 600000 */
  readonly cacheMs?: number
  /** The clock, in milliseconds since 1970. @default Date.now */
  readonly now?: () => number
}

/** Verifies tokens and remembers those that are good. */
export interface TokenVerifier {
  /**
   * The credentials of a token: at once for one that was verified before, else by and by.
   *
   * @throws {IsoplexError} as a rejection: `TOKEN_INVALID` with the reason; `FETCH_FAILED` where the keys of an
   * issuer that may have made it cannot be had now.
   */
  verify(token: string): Credentials | Promise<Credentials>
}

interface Remembered {
  readonly credentials: Credentials
  readonly untilMs: number
}

const cachedLengthPerToken = 1024

/**
 * Makes a verifier of model tokens, signed (JWS) or encrypted (JWE), of several issuers.
 *
 * A token must be made with one of their keys by the key's own algorithm, name a model, and be in its time: `exp` and
 * `nbf` bind. A token is good in one spelling only, but for ES256, where each signature has a twin. A remembered
 * token is forgotten at its `exp`, without tolerance, and refusals are not remembered.
 */
export function createTokenVerifier({
  issuers,
  clockToleranceSeconds = 5,
  cacheSize = 10_000,
  cacheMs = 600_000,
  now = Date.now,
}: TokenVerifierOptions): TokenVerifier {
  const cache = new LRUCache<string, Remembered>({
    max: cacheSize,
    maxSize: Math.max(cacheSize * cachedLengthPerToken, maxTokenLength),
    sizeCalculation: (_, token) => token.length,
  })

  const verifyNew = async (token: string): Promise<Credentials> => {
    const examined = await examineToken(token, { issuers, clockToleranceSeconds, nowMs: now() })
    const untilMs = Math.min(endOf(examined), now() + cacheMs)
    if (now() < untilMs) cache.set(token, { credentials: examined.credentials, untilMs })
    return examined.credentials
  }

  return Object.freeze({
    verify: (token: string) => {
      const remembered = token.length > maxTokenLength ? undefined : cache.get(token)
      if (remembered === undefined) return verifyNew(token)
      if (now() < remembered.untilMs) return remembered.credentials
      cache.delete(token)
      return verifyNew(token)
    },
  })
}

function endOf({ credentials, keyUntilMs }: ExaminedToken): number {
  return Math.min(credentials.expiresAtMs, keyUntilMs)
}
