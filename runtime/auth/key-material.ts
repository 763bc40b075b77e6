import { importJWK, importPKCS8, importSPKI, importX509, type JWK } from 'jose'
import type { TokenAlgorithm } from '../config/token-issuer-config.ts'
import { decodeBase64url } from './base64url.ts'
import { type PublicAlgorithm, publicAlgorithms, type SigningKey, signingAlgorithms } from './key.ts'
import { importContentSecret, importHmacSecret, secretBytes } from './project-key.ts'

/** A key as it was read, and the `kid` that it brings along. */
export interface KeyMaterial {
  readonly id: string | null
  readonly key: CryptoKey
}

const minRsaBits = 2048
const curve = { RS256: undefined, ES256: 'P-256', EdDSA: 'Ed25519' } as const
const keyTypes = { RS256: 'RSA', ES256: 'EC', EdDSA: 'OKP' } as const
const publicForms = 'as PEM (SPKI or certificate) or JWK'
const privateForms = 'as PEM (PKCS8) or JWK'

/** What the key of an algorithm has to be. */
export const keyForms: Readonly<Record<TokenAlgorithm, string>> = Object.freeze({
  HS256: `a secret of at least ${secretBytes} bytes, as base64url or JWK`,
  dir: `a secret of ${secretBytes} bytes, as base64url or JWK`,
  RS256: `an RSA public key of at least ${minRsaBits} bits, ${publicForms}`,
  ES256: `a P-256 public key, ${publicForms}`,
  EdDSA: `an Ed25519 public key, ${publicForms}`,
  'ECDH-ES': `an EC or X25519 private key, ${privateForms}`,
  'ECDH-ES+A256KW': `an EC or X25519 private key, ${privateForms}`,
  'RSA-OAEP-256': `an RSA private key of at least ${minRsaBits} bits, ${privateForms}`,
})

/** Whether keys of an algorithm are public. */
export function isPublicAlgorithm(algorithm: TokenAlgorithm): algorithm is PublicAlgorithm {
  return (publicAlgorithms as readonly TokenAlgorithm[]).includes(algorithm)
}

/** Reads the text of a key for an algorithm; `null` where it is no key for it, or a private one where a public one is due. */
export async function importKeyMaterial(
  text: string,
  algorithm: TokenAlgorithm,
): Promise<KeyMaterial | null> {
  const jwk = parseJwk(text)
  if (algorithm === 'HS256' || algorithm === 'dir') return importSecret(text, jwk, algorithm)
  if (!isPublicAlgorithm(algorithm)) return importPrivate(text, jwk, algorithm)
  if (jwk !== null) return importPublicJwk(jwk, algorithm)
  const certificate = text.startsWith('-----BEGIN CERTIFICATE-----')
  return orNull(async () => {
    const key = await (certificate ? importX509(text, algorithm) : importSPKI(text, algorithm))
    return isStrong(key) ? { id: null, key } : null
  })
}

/** Reads a public key of a JSON web key; `null` where it is none for this algorithm, or is private. */
export async function importPublicJwk(jwk: JWK, algorithm: PublicAlgorithm): Promise<KeyMaterial | null> {
  if (jwk.kty !== keyTypes[algorithm] || jwk.crv !== curve[algorithm]) return null
  if (!isMeantFor(jwk, algorithm, 'verify') || jwk.d !== undefined || jwk.k !== undefined) return null
  const { kty, n, e, crv, x, y } = jwk
  const bare = Object.fromEntries(
    Object.entries({ kty, n, e, crv, x, y }).filter(([, value]) => value !== undefined),
  )
  return orNull(async () => {
    const key = await importJWK(bare, algorithm)
    return key instanceof CryptoKey && isStrong(key) ? { id: idOf(jwk), key } : null
  })
}

/** Reads a private key that signs, and finds its algorithm; `null` where it is none. */
export async function importSigningKey(text: string): Promise<SigningKey | null> {
  const jwk = parseJwk(text)
  for (const algorithm of publicAlgorithms) {
    if (jwk !== null && (jwk.kty !== keyTypes[algorithm] || jwk.crv !== curve[algorithm])) continue
    if (jwk !== null && !isMeantFor(jwk, algorithm, 'sign')) continue
    const found = await importPrivate(text, jwk, algorithm)
    if (found?.key.type === 'private') return { algorithm, ...found }
  }
  return null
}

async function importSecret(
  text: string,
  jwk: JWK | null,
  algorithm: 'HS256' | 'dir',
): Promise<KeyMaterial | null> {
  if (jwk !== null && (jwk.kty !== 'oct' || !isMeantFor(jwk, algorithm, null))) return null
  const secret = decodeBase64url(jwk === null ? text.replace(/\n$/, '') : String(jwk.k))
  if (secret === null || secret.length < secretBytes) return null
  const id = jwk === null ? null : idOf(jwk)
  if (algorithm === 'HS256') return { id, key: await importHmacSecret(secret) }
  return secret.length === secretBytes ? { id, key: await importContentSecret(secret) } : null
}

function importPrivate(
  text: string,
  jwk: JWK | null,
  algorithm: TokenAlgorithm,
): Promise<KeyMaterial | null> {
  return orNull(async () => {
    if (jwk === null) {
      const key = await importPKCS8(text, algorithm)
      return isStrong(key) ? { id: null, key } : null
    }
    if (jwk.d === undefined || jwk.k !== undefined || !isMeantFor(jwk, algorithm, null)) return null
    const { alg: _alg, use: _use, key_ops: _operations, ext: _extractable, ...bare } = jwk
    const key = await importJWK(bare, algorithm)
    return key instanceof CryptoKey && isStrong(key) ? { id: idOf(jwk), key } : null
  })
}

/** Whether a JSON web key says of itself that it may be used so. */
function isMeantFor(
  { alg, use, key_ops: operations }: JWK,
  algorithm: TokenAlgorithm,
  operation: 'sign' | 'verify' | null,
): boolean {
  const expectedUse = signingAlgorithms.includes(algorithm) ? 'sig' : 'enc'
  if (alg !== undefined && alg !== algorithm) return false
  if (use !== undefined && use !== expectedUse) return false
  if (operation === null || operations === undefined) return true
  return Array.isArray(operations) && operations.includes(operation)
}

function isStrong(key: CryptoKey): boolean {
  const bits = 'modulusLength' in key.algorithm ? Number(key.algorithm.modulusLength) : null
  return bits === null || bits >= minRsaBits
}

function idOf({ kid }: JWK): string | null {
  return typeof kid === 'string' ? kid : null
}

function parseJwk(text: string): JWK | null {
  if (!text.trimStart().startsWith('{')) return null
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** What cannot be imported is no key; why not, libraries tell in words that quote it. */
async function orNull(task: () => Promise<KeyMaterial | null>): Promise<KeyMaterial | null> {
  try {
    return await task()
  } catch {
    return null
  }
}
