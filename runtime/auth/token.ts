import { type JWTPayload, SignJWT } from 'jose'
import type { TokenKey } from './key.ts'

/** What a model token is to say. */
export interface ModelTokenOptions {
  /** The model's id: 1 to 256 characters, none of them a control character. */
  readonly model: string
  /** The tenant for whom the token is made; held to the same bounds. @default none */
  readonly tenant?: string | null
  /** How long the token is good for, in seconds. A positive integer. */
  readonly expiresInSeconds: number
  /** The server that the token is meant for, where it names its `audience`. @default none */
  readonly audience?: string | null
  /** The clock, in milliseconds since 1970. @default Date.now */
  readonly now?: () => number
}

/**
 * Makes a signed model token: whoever holds it may use this model, in the name of this tenant, until it
 * expires. It says so readably but carries no other secret.
 *
 * @throws {TypeError} where an option is out of its bounds.
 */
export function createModelToken(
  key: TokenKey,
  { model, tenant, expiresInSeconds, audience, now = Date.now }: ModelTokenOptions,
): Promise<string> {
  if (!isClaimText(model)) throw new TypeError(`"model" ${claimTextRule}.`)
  if (tenant != null && !isClaimText(tenant)) throw new TypeError(`"tenant" ${claimTextRule}.`)
  if (!Number.isSafeInteger(expiresInSeconds) || expiresInSeconds < 1) {
    throw new TypeError(`"expiresInSeconds" must be a positive integer; got ${expiresInSeconds}.`)
  }
  const issuedAt = Math.floor(now() / 1000)
  const claims: JWTPayload = { model, iat: issuedAt, exp: issuedAt + expiresInSeconds }
  if (tenant != null) claims.tenant = tenant
  if (audience != null) claims.aud = audience
  return new SignJWT(claims)
    .setProtectedHeader({ alg: key.algorithm, typ: 'JWT', kid: key.id })
    .sign(key.secret)
}

const claimTextRule = 'must be a text of 1 to 256 characters without control characters'

/** Whether a value can be a model's id or a tenant: such a text can be logged, compared and stored as it is. */
export function isClaimText(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value.length >= 1 &&
    value.length <= 256 &&
    value.isWellFormed() &&
    !/\p{Cc}/u.test(value)
  )
}
