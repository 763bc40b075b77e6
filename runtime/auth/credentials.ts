/** Who pays where no token is sent: whoever that may be. */
export const anonymous = 'anonymous'

/** What a verified token gives its holder. Frozen; the same object for the same token while it is cached. */
export interface Credentials {
  /** The model that the token names, as it names it: `digits`, `digits@3` or `digits@prod`. */
  readonly modelId: string
  /** The tenant that the token names, `null` where it names none. A claim: only the backend confirms it. */
  readonly tenant: string | null
  /** The backend's access token that the token carries, `null` where it carries none. Never to be logged. */
  readonly accessToken: string | null
  /** The name of the issuer by whose key it was verified: `project`, `synapse`, or one of the configuration. */
  readonly issuer: string
  /**
   * Whether the signature proves that the issuer vouches for the claims. Where it does not, as in the Synapse form,
   * the token is worth what its access token is worth, and the backend has to check that one.
   */
  readonly proven: boolean
  /** When the token ends, in milliseconds since 1970; `Infinity` where it names no end. */
  readonly expiresAtMs: number
  /**
   * A digest of all of the above but the end: equal for tokens that say the same, different for all others. It may
   * be a key of caches; nothing can be read from it.
   */
  readonly identity: string
}

/** Credentials with the identity that what they say gives them. */
export function createCredentials(said: Omit<Credentials, 'identity'>): Credentials {
  const { modelId, tenant, accessToken, issuer, proven, expiresAtMs } = said
  const text = JSON.stringify([issuer, proven, modelId, tenant, accessToken])
  const identity = Bun.CryptoHasher.hash('sha256', text, 'base64url')
  return Object.freeze({ modelId, tenant, accessToken, issuer, proven, expiresAtMs, identity })
}

/** The same caller, asking for another model. */
export function withModel(credentials: Credentials, modelId: string): Credentials {
  return credentials.modelId === modelId ? credentials : createCredentials({ ...credentials, modelId })
}
