import type { JWTPayload } from 'jose'
import { type Credentials, createCredentials } from './credentials.ts'
import { invalidToken } from './invalid-token.ts'

/** The names of the claims that make up credentials. */
export interface ClaimNames {
  readonly model: string
  readonly tenant: string
  readonly accessToken: string
}

/** The names of the Synapse form, which are those of this project's tokens too. */
export const defaultClaimNames: ClaimNames = Object.freeze({
  model: 'model',
  tenant: 'tenant',
  accessToken: 'token',
})

/** How claims are read: by which names, and for whom they speak. */
export interface ClaimReading {
  readonly names: ClaimNames
  /** The name of the token's issuer. */
  readonly issuer: string
  readonly proven: boolean
  /** Whether an empty tenant or access token is none, as in the Synapse form, and no mistake. */
  readonly emptyIsNone: boolean
}

const lastMomentMs = 8.64e15

/**
 * Makes credentials of claims that are known to be signed, and in their time.
 *
 * @throws {IsoplexError} `TOKEN_INVALID`, `claims`.
 */
export function toCredentials(payload: JWTPayload, reading: ClaimReading): Credentials {
  const { names, issuer, proven } = reading
  const modelId = ownClaim(payload, names.model)
  if (!isClaimText(modelId)) throw badClaim('the model')
  const tenant = optionalClaim(payload, names.tenant, reading)
  if (tenant !== null && !isClaimText(tenant)) throw badClaim('the tenant')
  const accessToken = optionalClaim(payload, names.accessToken, reading)
  if (accessToken !== null && !isAccessToken(accessToken)) throw badClaim('the access token')
  const expiresAtMs = toExpiry(payload.exp)
  return createCredentials({ modelId, tenant, accessToken, issuer, proven, expiresAtMs })
}

/** What stands below `claim text` in a message. */
export const claimTextRule = 'must be a text of 1 to 256 characters without control characters'

/** Whether a value can be a model's id or a tenant: such a text can be logged, compared and stored as it is. */
export function isClaimText(value: unknown): value is string {
  return isPlainText(value, 256)
}

/** Whether a value can be an access token: 1 to 4096 characters, none of them a control character. */
export function isAccessToken(value: unknown): value is string {
  return isPlainText(value, 4096)
}

function isPlainText(value: unknown, maxLength: number): value is string {
  return (
    typeof value === 'string' &&
    value.length >= 1 &&
    value.length <= maxLength &&
    value.isWellFormed() &&
    !/\p{Cc}/u.test(value)
  )
}

/** A claim of the payload itself: what every object inherits is none. */
function ownClaim(payload: JWTPayload, name: string): unknown {
  return Object.hasOwn(payload, name) ? payload[name] : undefined
}

function optionalClaim(payload: JWTPayload, name: string, { emptyIsNone }: ClaimReading): unknown {
  const value = ownClaim(payload, name) ?? null
  return emptyIsNone && value === '' ? null : value
}

function toExpiry(exp: number | undefined): number {
  if (exp === undefined) return Number.POSITIVE_INFINITY
  const expiresAtMs = exp * 1000
  if (!(expiresAtMs <= lastMomentMs))
    throw invalidToken('claims', 'has an end ("exp") that is no point in time')
  return expiresAtMs
}

function badClaim(what: string): Error {
  return invalidToken('claims', `has a claim for ${what} that is missing or not acceptable`)
}
