/** Algorithms by which a token's issuer may sign or encrypt. */
export type TokenAlgorithm =
  | 'HS256'
  | 'RS256'
  | 'ES256'
  | 'EdDSA'
  | 'dir'
  | 'ECDH-ES'
  | 'ECDH-ES+A256KW'
  | 'RSA-OAEP-256'

/** One key of an issuer of tokens, in a file: never in the configuration itself. */
export interface TokenKeyConfig {
  /** The path of the key, seen from the project: a PEM, a JWK, or the base64url text of a secret. */
  readonly file: string
  readonly algorithm: TokenAlgorithm
  /** The `kid` of tokens made with it. @default a JWK's own, else tokens need none */
  readonly id?: string
}

/** An issuer of tokens that is trusted besides the project's own key. Exactly one of `keys` and `jwksUrl` is there. */
export interface TokenIssuerConfig {
  /** By what name logs and principals know it: 1 to 64 letters, digits, `.`, `_` and `-`. */
  readonly name: string
  readonly keys?: readonly TokenKeyConfig[]
  /** Where its public keys are published, by https (http on a loopback address). */
  readonly jwksUrl?: string
  /** The algorithms that keys of `jwksUrl` may be used with. @default ['RS256', 'ES256', 'EdDSA'] */
  readonly algorithms?: readonly TokenAlgorithm[]
  /** The `iss` that its tokens must name. @default any */
  readonly issuer?: string
  /** The `aud` that its tokens must name. @default that of the project */
  readonly audience?: string
  /** The names of the claims that carry model, tenant and access token. @default model, tenant, token */
  readonly claims?: { readonly model?: string; readonly tenant?: string; readonly accessToken?: string }
}
