import { type ClaimNames, defaultClaimNames } from './claims.ts'
import { createKeySource, type KeySource, type TokenKey } from './key.ts'
import { importHmacSecret, type ProjectKeys } from './project-key.ts'

/** An issuer of tokens that is trusted, and what its tokens must be like. */
export interface TokenIssuer {
  /** By what name credentials, logs and principals know it. */
  readonly name: string
  readonly keys: KeySource
  /**
   * `standard`: a token must end (`exp`), and its signature proves what it says. `synapse`: it need not end, must not
   * be issued (`iat`) in the future, an empty tenant or access token is none, and its signature proves nothing.
   */
  readonly rules: 'standard' | 'synapse'
  readonly claims: ClaimNames
  /** The `iss` that a token must name; `null` for any or none. */
  readonly issuer: string | null
  /** The `aud` that a token must name; `null`: it must name none. */
  readonly audience: string | null
}

/** The name of the issuer that a project itself is. */
export const projectIssuerName = 'project'

/** The name of the issuer of tokens of the Synapse form. */
export const synapseIssuerName = 'synapse'

/** The project as an issuer: its tokens are signed (HS256) or encrypted (`dir`, A256GCM) by one of its keys. */
export function createProjectIssuer(
  keys: ProjectKeys,
  { audience = null }: { readonly audience?: string | null } = {},
): TokenIssuer {
  const tokenKeys = keys.flatMap(({ id, secret, encryption, untilMs }): TokenKey[] => [
    { id, algorithm: 'HS256', key: secret, untilMs },
    { id, algorithm: 'dir', key: encryption, untilMs },
  ])
  return Object.freeze({
    name: projectIssuerName,
    keys: createKeySource(tokenKeys),
    rules: 'standard',
    claims: defaultClaimNames,
    issuer: null,
    audience,
  })
}

/**
 * Whoever knows the URL of a Synapse backend, as an issuer: its tokens are signed with that URL, as it is to the byte
 * (HS256), and name no key. They prove nothing, so the backend has to check the access token that they carry.
 *
 * @throws {TypeError} where the URL is empty.
 */
export async function createSynapseIssuer(backendUrl: string): Promise<TokenIssuer> {
  if (backendUrl === '') throw new TypeError('"backendUrl" must not be empty: it is the signing key.')
  const key = await importHmacSecret(new TextEncoder().encode(backendUrl))
  return Object.freeze({
    name: synapseIssuerName,
    keys: createKeySource([{ id: null, algorithm: 'HS256', key, untilMs: Number.POSITIVE_INFINITY }]),
    rules: 'synapse',
    claims: defaultClaimNames,
    issuer: null,
    audience: null,
  })
}
