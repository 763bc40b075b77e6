import { CompactEncrypt, generateKeyPair, SignJWT } from 'jose'
import { defaultClaimNames } from '../../runtime/auth/claims.ts'
import { createProjectIssuer, type TokenIssuer } from '../../runtime/auth/issuer.ts'
import { createKeySource, type TokenKey } from '../../runtime/auth/key.ts'
import { claims, key, verifierAt } from './forged-token.ts'

type KeyAlgorithm = TokenKey['algorithm']

/** An issuer of these keys; what is not said of it is as of most. */
export function issuerOf(
  name: string,
  keys: readonly Partial<TokenKey>[],
  more: Partial<TokenIssuer> = {},
): TokenIssuer {
  const all = keys.map((part) => ({ id: null, untilMs: Infinity, ...part }) as TokenKey)
  return {
    name,
    keys: createKeySource(all),
    rules: 'standard',
    claims: defaultClaimNames,
    issuer: null,
    audience: null,
    ...more,
  }
}

/** A pair of keys for each algorithm that has pairs. */
export const pairs = {
  RS256: await generateKeyPair('RS256'),
  ES256: await generateKeyPair('ES256'),
  EdDSA: await generateKeyPair('EdDSA'),
  'ECDH-ES': await generateKeyPair('ECDH-ES'),
  'ECDH-ES+A256KW': await generateKeyPair('ECDH-ES+A256KW'),
  'RSA-OAEP-256': await generateKeyPair('RSA-OAEP-256'),
}
export const signing = ['RS256', 'ES256', 'EdDSA'] as const
export const encrypting = ['ECDH-ES', 'ECDH-ES+A256KW', 'RSA-OAEP-256'] as const
export const signer = issuerOf(
  'signer',
  signing.map((algorithm) => ({ algorithm, id: `s-${algorithm}`, key: pairs[algorithm].publicKey })),
)
export const opener = issuerOf(
  'opener',
  encrypting.map((algorithm) => ({ algorithm, key: pairs[algorithm].privateKey })),
)
export const project = createProjectIssuer([key])
/** The project, an issuer that signs, and one that opens what is encrypted for it. */
export const issuers = [project, signer, opener]
export const verify = (token: string, by: readonly TokenIssuer[] = issuers) =>
  verifierAt({ issuers: by }).verifier.verify(token)
export const sign = (algorithm: (typeof signing)[number], payload: object = claims, header: object = {}) =>
  new SignJWT({ ...payload })
    .setProtectedHeader({ alg: algorithm, kid: `s-${algorithm}`, ...header })
    .sign(pairs[algorithm].privateKey)
export const encrypt = (algorithm: KeyAlgorithm, text: string, header: object, encryptionKey: CryptoKey) =>
  new CompactEncrypt(new TextEncoder().encode(text))
    .setProtectedHeader({ alg: algorithm, enc: 'A256GCM', ...header })
    .encrypt(encryptionKey)
export const seal = (algorithm: (typeof encrypting)[number], text: string, header: object = {}) =>
  encrypt(algorithm, text, header, pairs[algorithm].publicKey)
