import {
  compactDecrypt,
  type DecryptOptions,
  errors,
  type JWTPayload,
  type JWTVerifyOptions,
  jwtDecrypt,
  jwtVerify,
} from 'jose'
import { isIsoplexError } from '../error/error.ts'
import type { TokenHeader } from './header.ts'
import { invalidToken } from './invalid-token.ts'
import type { TokenIssuer } from './issuer.ts'
import type { TokenKey } from './key.ts'

/** Against what the times of a token are held. */
export interface TokenTime {
  readonly nowMs: number
  /** How far the clocks of two machines may differ, in seconds. */
  readonly clockToleranceSeconds: number
}

/** The only way in which the content of a token may be encrypted. */
export const contentEncryption = 'A256GCM'

/**
 * Has jose check that this key has signed a token, and that its claims are in their time and meant for here. Why it
 * refuses, {@link explainRefusal} says.
 */
export function verifySigned(
  token: string,
  key: TokenKey,
  issuer: TokenIssuer,
  time: TokenTime,
): Promise<{ readonly payload: JWTPayload }> {
  return jwtVerify(token, key.key, { ...claimOptions(issuer, time), algorithms: [key.algorithm] })
}

/**
 * Has jose open a token that is encrypted for this key, and check that its claims are in their time and meant for
 * here. Why it refuses, {@link explainRefusal} says.
 */
export function openEncrypted(
  token: string,
  key: TokenKey,
  issuer: TokenIssuer,
  time: TokenTime,
): Promise<{ readonly payload: JWTPayload }> {
  return jwtDecrypt(token, key.key, { ...claimOptions(issuer, time), ...decryptOptions(key) })
}

/**
 * The text of a token that is encrypted for this key.
 *
 * @throws {IsoplexError} `TOKEN_INVALID`, `signature`, where the key does not open it.
 */
export async function decryptText(token: string, key: TokenKey): Promise<string> {
  try {
    const { plaintext } = await compactDecrypt(token, key.key, decryptOptions(key))
    return new TextDecoder().decode(plaintext)
  } catch {
    throw notOpened()
  }
}

/** The error of a token that no key here has signed. */
export function badSignature(): Error {
  return invalidToken('signature', 'is signed by no key that is known here')
}

function notOpened(): Error {
  return invalidToken('signature', 'is encrypted for no key that is known here, or has been altered')
}

function decryptOptions({ algorithm }: TokenKey): DecryptOptions {
  return {
    keyManagementAlgorithms: [algorithm],
    contentEncryptionAlgorithms: [contentEncryption],
    maxDecompressedLength: 0,
  }
}

function claimOptions({ rules, issuer, audience }: TokenIssuer, time: TokenTime): JWTVerifyOptions {
  return {
    clockTolerance: time.clockToleranceSeconds,
    currentDate: new Date(time.nowMs),
    ...(rules === 'standard' ? { requiredClaims: ['exp'] } : {}),
    ...(issuer === null ? {} : { issuer }),
    ...(audience === null ? {} : { audience }),
  }
}

/**
 * Holds claims to what an issuer's tokens have to be like beside what jose looks at.
 *
 * @throws {IsoplexError} `TOKEN_INVALID`.
 */
export function holdToRules(
  payload: JWTPayload,
  { rules, audience }: TokenIssuer,
  time: TokenTime,
): JWTPayload {
  if (audience === null && payload.aud !== undefined) {
    throw invalidToken('claims', 'is meant for another server')
  }
  const latestIssueSeconds = Math.floor(time.nowMs / 1000) + time.clockToleranceSeconds
  if (rules === 'synapse' && payload.iat !== undefined && payload.iat > latestIssueSeconds) {
    throw invalidToken('early', 'is issued in the future; check the clock of the machine that made it')
  }
  return payload
}

/**
 * Why a token was refused. jose's own error is dropped: it carries the claims. Why a token could not be opened is
 * nobody's business: whoever made one up would learn from it.
 */
export function explainRefusal(error: unknown, form: TokenHeader['form']): unknown {
  if (error instanceof errors.JWTExpired) return invalidToken('expired', 'has expired; ask for a new one')
  if (error instanceof errors.JWTClaimValidationFailed) {
    return error.claim === 'nbf' && error.reason === 'check_failed'
      ? invalidToken('early', 'is not good yet; check the clock of the machine that made it')
      : invalidToken('claims', `has a claim "${error.claim}" that is missing or not acceptable`)
  }
  if (error instanceof errors.JWTInvalid) return invalidToken('malformed', 'holds no claims that can be read')
  if (isIsoplexError(error)) return error
  if (form === 'encrypted') return notOpened()
  return error instanceof errors.JWSSignatureVerificationFailed ? badSignature() : error
}
