import { createHmac } from 'node:crypto'
import { expect } from 'vitest'
import { createProjectIssuer } from '../../runtime/auth/issuer.ts'
import { createProjectKey, type ProjectKeys } from '../../runtime/auth/project-key.ts'
import { createModelToken } from '../../runtime/auth/token.ts'
import {
  createTokenVerifier,
  type TokenVerifier,
  type TokenVerifierOptions,
} from '../../runtime/auth/verifier.ts'

export const secret = new Uint8Array(32).fill(7)
export const startMs = 1_700_000_000_000
export const startSeconds = startMs / 1000

/** The key that is trusted, and one that is not. */
export const key = await createProjectKey(secret)
export const otherKey = await createProjectKey(new Uint8Array(32).fill(8))

/** Options of a verifier; without issuers it trusts the project of these keys. */
export interface SceneOptions extends Partial<TokenVerifierOptions> {
  readonly keys?: ProjectKeys
  readonly audience?: string | null
}

/** A verifier on a clock that a test sets. */
export function verifierAt({ keys = [key], audience = null, ...options }: SceneOptions = {}): {
  verifier: TokenVerifier
  clock: { ms: number }
} {
  const clock = { ms: startMs }
  const issuers = [createProjectIssuer(keys, { audience })]
  return { verifier: createTokenVerifier({ issuers, now: () => clock.ms, ...options }), clock }
}

/** A token of any header and payload, well signed with the secret unless told otherwise. */
export function forge(
  header: object | string,
  payload: object | string,
  options: { hash?: string; secret?: Uint8Array } = {},
): string {
  const encode = (part: object | string): string =>
    Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')
  const input = `${encode(header)}.${encode(payload)}`
  const signature = createHmac(options.hash ?? 'sha256', options.secret ?? secret).update(input)
  return `${input}.${signature.digest('base64url')}`
}

export const header = { alg: 'HS256', typ: 'JWT' }
export const claims = { model: 'digits', exp: startSeconds + 60 }
export const token = (options: { tenant?: string; audience?: string } = {}): Promise<string> =>
  createModelToken(key, { model: 'digits', expiresInSeconds: 60, now: () => startMs, ...options })

/** Why a token is refused; fails where it is not. */
export async function reasonOf(text: string, options: SceneOptions = {}): Promise<unknown> {
  const error: unknown = await Promise.resolve(verifierAt(options).verifier.verify(text)).then(
    () => null,
    (thrown: unknown) => thrown,
  )
  expect(error).toMatchObject({ code: 'TOKEN_INVALID', status: 401 })
  const { details, message, cause } = error as {
    details: { reason: string }
    message: string
    cause: unknown
  }
  expect(cause).toBeUndefined()
  for (const segment of text.split('.').filter(({ length }) => length > 8))
    expect(message).not.toContain(segment)
  return details.reason
}
