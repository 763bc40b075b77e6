import { EncryptJWT, type JWTPayload, SignJWT } from 'jose'
import { type ClaimNames, claimTextRule, defaultClaimNames, isAccessToken, isClaimText } from './claims.ts'
import type { SigningKey } from './key.ts'
import type { ProjectKey } from './project-key.ts'
import { contentEncryption } from './proof.ts'

/** What a model token is to say. */
export interface ModelTokenOptions {
  /** The model's id: 1 to 256 characters, none of them a control character. */
  readonly model: string
  /** The tenant for whom the token is made; held to the same bounds. @default none */
  readonly tenant?: string | null
  /** The backend's access token that it carries: 1 to 4096 characters, no control character. @default none */
  readonly accessToken?: string | null
  /** How long the token is good for, in seconds. A positive integer. */
  readonly expiresInSeconds: number
  /** The server that the token is meant for, where it names its `audience`. @default none */
  readonly audience?: string | null
  /** The clock, in milliseconds since 1970. @default Date.now */
  readonly now?: () => number
}

/** What the token of another issuer is to say. */
export interface IssuerTokenOptions extends ModelTokenOptions {
  /** Its `iss`. @default none */
  readonly issuer?: string | null
  /** The names of its claims. @default those of this project's tokens */
  readonly claims?: ClaimNames
}

/**
 * Makes a signed model token: whoever holds it may use this model, in the name of this tenant, until it expires. All
 * that it says can be read by whoever sees it.
 *
 * @throws {TypeError} where an option is out of its bounds.
 */
export function createModelToken({ id, secret }: ProjectKey, options: ModelTokenOptions): Promise<string> {
  return new SignJWT(toClaims(options, defaultClaimNames))
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT', kid: id })
    .sign(secret)
}

/**
 * Makes an encrypted model token: it gives what a signed one gives, and only a holder of the key can read it, or
 * could have made it.
 *
 * @throws {TypeError} where an option is out of its bounds.
 */
export function createEncryptedToken(
  { id, encryption }: ProjectKey,
  options: ModelTokenOptions,
): Promise<string> {
  return new EncryptJWT(toClaims(options, defaultClaimNames))
    .setProtectedHeader({ alg: 'dir', enc: contentEncryption, typ: 'JWT', kid: id })
    .encrypt(encryption)
}

/**
 * Makes a model token signed with the private key of another issuer.
 *
 * @throws {TypeError} where an option is out of its bounds.
 */
export function createIssuerToken(
  { algorithm, id, key }: SigningKey,
  { issuer = null, claims: names = defaultClaimNames, ...options }: IssuerTokenOptions,
): Promise<string> {
  const claims = { ...toClaims(options, names), ...(issuer === null ? {} : { iss: issuer }) }
  return new SignJWT(claims)
    .setProtectedHeader({ alg: algorithm, typ: 'JWT', ...(id === null ? {} : { kid: id }) })
    .sign(key)
}

function toClaims(options: ModelTokenOptions, names: ClaimNames): JWTPayload {
  const { model, tenant, accessToken, expiresInSeconds, audience, now = Date.now } = options
  if (!isClaimText(model)) throw new TypeError(`"model" ${claimTextRule}.`)
  if (tenant != null && !isClaimText(tenant)) throw new TypeError(`"tenant" ${claimTextRule}.`)
  if (accessToken != null && !isAccessToken(accessToken)) {
    throw new TypeError('"accessToken" must be a text of 1 to 4096 characters without control characters.')
  }
  if (!Number.isSafeInteger(expiresInSeconds) || expiresInSeconds < 1) {
    throw new TypeError(`"expiresInSeconds" must be a positive integer; got ${expiresInSeconds}.`)
  }
  const issuedAt = Math.floor(now() / 1000)
  const claims: JWTPayload = { [names.model]: model, iat: issuedAt, exp: issuedAt + expiresInSeconds }
  if (tenant != null) claims[names.tenant] = tenant
  if (accessToken != null) claims[names.accessToken] = accessToken
  if (audience != null) claims.aud = audience
  return claims
}
