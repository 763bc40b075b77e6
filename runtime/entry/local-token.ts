import { type Credentials, createCredentials } from '../auth/credentials.ts'
import type { TokenVerifier } from '../auth/verifier.ts'
import { IsoplexError } from '../error/error.ts'

/** Who asks for a model, and in whose name. */
export interface LocalClaims {
  readonly model: string
  readonly tenant: string | null
}

/** Makes what a local server takes for a token: only its own process can send it one, and may use any model. */
export function localToken(claims: LocalClaims): string {
  return Buffer.from(JSON.stringify(claims)).toString('base64url')
}

/** Reads the tokens of {@link localToken}. @throws {IsoplexError} `TOKEN_INVALID` for any other */
export const localVerifier: TokenVerifier = Object.freeze({
  async verify(token: string): Promise<Credentials> {
    const { model, tenant } = readClaims(token)
    return createCredentials({
      modelId: model,
      tenant,
      accessToken: null,
      issuer: 'local',
      proven: true,
      expiresAtMs: Number.POSITIVE_INFINITY,
    })
  },
})

function readClaims(token: string): LocalClaims {
  try {
    return JSON.parse(Buffer.from(token, 'base64url').toString()) as LocalClaims
  } catch (cause) {
    const message = 'A local call carries a token that was not made for it.'
    throw new IsoplexError('TOKEN_INVALID', message, { details: { reason: 'malformed' }, cause })
  }
}
