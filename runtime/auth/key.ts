import type { TokenAlgorithm } from '../config/token-issuer-config.ts'

/** A key that proves or opens tokens, pinned to one algorithm. Printing it shows nothing secret. */
export interface TokenKey {
  /** The `kid` of its tokens, `null` where they name none. */
  readonly id: string | null
  readonly algorithm: TokenAlgorithm
  /** A secret, a public key to verify with, or a private key to open with; never extractable where it is secret. */
  readonly key: CryptoKey
  /** When it stops to count, in milliseconds since 1970; `Infinity` for never. */
  readonly untilMs: number
}

/** Where the keys of an issuer come from. */
export interface KeySource {
  /** The algorithms that its keys can have. */
  readonly algorithms: readonly TokenAlgorithm[]
  /**
   * The keys of an algorithm: those of one id, or all where `id` is `undefined`. At once where they are at hand.
   *
   * @throws {IsoplexError} `FETCH_FAILED` where they cannot be had now, as a rejection.
   */
  select(
    algorithm: TokenAlgorithm,
    id: string | undefined,
  ): readonly TokenKey[] | Promise<readonly TokenKey[]>
}

/** The algorithms of tokens that are signed; all others are of tokens that are encrypted. */
export const signingAlgorithms: readonly TokenAlgorithm[] = Object.freeze([
  'HS256',
  'RS256',
  'ES256',
  'EdDSA',
])

/** Algorithms whose keys come in pairs: what verifies can be published. */
export type PublicAlgorithm = Extract<TokenAlgorithm, 'RS256' | 'ES256' | 'EdDSA'>

/** All of them. */
export const publicAlgorithms: readonly PublicAlgorithm[] = Object.freeze(['RS256', 'ES256', 'EdDSA'])

/** A private key that signs, and what its tokens say of it. */
export interface SigningKey {
  readonly algorithm: PublicAlgorithm
  readonly id: string | null
  readonly key: CryptoKey
}

/** Makes a source of keys that stay the same. Without an id those come first that have none. */
export function createKeySource(keys: readonly TokenKey[]): KeySource {
  const ordered = keys.toSorted((one, other) => Number(one.id !== null) - Number(other.id !== null))
  return Object.freeze({
    algorithms: Object.freeze([...new Set(keys.map(({ algorithm }) => algorithm))]),
    select: (algorithm: TokenAlgorithm, id: string | undefined) => selectKeys(ordered, algorithm, id),
  })
}

/** The keys of an algorithm, and of an id where one is given. */
export function selectKeys(
  keys: readonly TokenKey[],
  algorithm: TokenAlgorithm,
  id: string | undefined,
): readonly TokenKey[] {
  return keys.filter((key) => key.algorithm === algorithm && (id === undefined || key.id === id))
}
