import type { JWK } from 'jose'
import type { TokenAlgorithm } from '../config/token-issuer-config.ts'
import { IsoplexError } from '../error/error.ts'
import { type KeySource, type PublicAlgorithm, selectKeys, type TokenKey } from './key.ts'
import { importPublicJwk } from './key-material.ts'

/** Fetches a document and reads it as JSON; bounds its size and its time. */
export type FetchJson = (url: string) => Promise<unknown>

/** How published keys are had. */
export interface JwksOptions {
  /** The name of the issuer, for messages. */
  readonly issuer: string
  readonly url: string
  /** The algorithms that its keys may be used with. */
  readonly algorithms: readonly PublicAlgorithm[]
  readonly fetchJson: FetchJson
  /** A clock in milliseconds, of which the differences count. @default performance.now */
  readonly now?: () => number
}

/** How old keys may be before they are fetched again. */
const maxAgeMs = 600_000
/** How old keys may be while they cannot be fetched again. */
const maxStaleMs = 86_400_000
/** The least time between two fetches. */
const cooldownMs = 30_000
const maxKeys = 100

/**
 * The keys that an issuer publishes (JSON Web Key Set, RFC 7517, section 5), fetched when they are first needed.
 *
 * They are fetched again when they are older than 10 minutes, and when a token names a key that is not among them, at
 * most every 30 seconds and one fetch at a time; while that fails, the old ones count, up to a day. A key counts for
 * the one algorithm of its type, where that is allowed; private keys and secrets, which nobody should publish, those
 * for encryption, weak ones, and those that say that they are for something else, do not count.
 */
export function createJwksSource({
  issuer,
  url,
  algorithms,
  fetchJson,
  now = () => performance.now(),
}: JwksOptions): KeySource {
  let keys: readonly TokenKey[] = []
  let fetchedMs = Number.NEGATIVE_INFINITY
  let triedMs = Number.NEGATIVE_INFINITY
  let failure: { readonly cause: unknown } | null = null
  let fetching: Promise<void> | null = null

  const refresh = async (): Promise<void> => {
    try {
      keys = await importKeySet(await fetchJson(url), algorithms)
      fetchedMs = now()
      failure = null
    } catch (cause) {
      // The keys of before count on; where there is none that fits, `select` says so.
      failure = { cause }
    }
    triedMs = now()
  }
  const known = (algorithm: TokenAlgorithm, id: string | undefined): readonly TokenKey[] =>
    now() - fetchedMs < maxStaleMs ? selectKeys(keys, algorithm, id) : []

  const selectAnew = async (
    algorithm: TokenAlgorithm,
    id: string | undefined,
  ): Promise<readonly TokenKey[]> => {
    if (now() - triedMs >= cooldownMs) {
      fetching ??= refresh().finally(() => {
        fetching = null
      })
    }
    await fetching
    const found = known(algorithm, id)
    if (found.length === 0 && failure !== null) throw unavailable(issuer, failure.cause)
    return found
  }

  return Object.freeze({
    algorithms,
    select: (algorithm: TokenAlgorithm, id: string | undefined) => {
      const found = known(algorithm, id)
      const fresh = now() - fetchedMs < maxAgeMs
      return fresh && found.length > 0 ? found : selectAnew(algorithm, id)
    },
  })
}

async function importKeySet(
  document: unknown,
  algorithms: readonly PublicAlgorithm[],
): Promise<readonly TokenKey[]> {
  const entries = entriesOf(document)
  if (entries === null || entries.length > maxKeys) throw new TypeError('It is no set of keys.')
  const found = await Promise.all(
    entries.filter(isJwk).flatMap((jwk) => algorithms.map((algorithm) => toTokenKey(jwk, algorithm))),
  )
  return found.filter((key) => key !== null)
}

function entriesOf(document: unknown): readonly unknown[] | null {
  if (typeof document !== 'object' || document === null || !('keys' in document)) return null
  return Array.isArray(document.keys) ? document.keys : null
}

function isJwk(entry: unknown): entry is JWK {
  return typeof entry === 'object' && entry !== null
}

async function toTokenKey(jwk: JWK, algorithm: PublicAlgorithm): Promise<TokenKey | null> {
  const material = await importPublicJwk(jwk, algorithm)
  return material && Object.freeze({ ...material, algorithm, untilMs: Number.POSITIVE_INFINITY })
}

function unavailable(issuer: string, cause: unknown): IsoplexError<'FETCH_FAILED'> {
  const message = `The keys of the token issuer "${issuer}" cannot be had now; try again.`
  return new IsoplexError('FETCH_FAILED', message, { details: { reason: 'connection' }, cause })
}
