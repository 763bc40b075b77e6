import { createHash, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'

/** A key of the project. Of its secret come a key for each use, so that none can stand in for another. */
export interface ProjectKey {
  /** The `kid` of tokens made with it: a short digest of the secret, no part of it. */
  readonly id: string
  /** Signs and verifies tokens (HS256). */
  readonly secret: CryptoKey
  /** Encrypts and decrypts tokens (`dir`, A256GCM). */
  readonly encryption: CryptoKey
  /** Signs and verifies links to artifacts. */
  readonly grants: KeyObject
  /** Seals the credentials of those who submit jobs (AES-256-GCM). */
  readonly seals: KeyObject
  /** When it stops to count, in milliseconds since 1970; `Infinity` for the key that signs. */
  readonly untilMs: number
}

/** The keys of a project: the first signs and encrypts, all verify and decrypt. */
export type ProjectKeys = readonly [ProjectKey, ...ProjectKey[]]

/** The bytes of a secret. */
export const secretBytes = 32

/**
 * Makes a key of secret bytes; the same bytes give the same key.
 *
 * @throws {TypeError} where there are fewer than 32.
 */
export async function createProjectKey(
  secret: Uint8Array<ArrayBuffer>,
  untilMs = Number.POSITIVE_INFINITY,
): Promise<ProjectKey> {
  if (secret.length < secretBytes) throw new TypeError(`"secret" must have at least ${secretBytes} bytes.`)
  const [signing, encryption] = await Promise.all([
    importHmacSecret(secret),
    importContentSecret(derive(secret, 'isoplex token encryption')),
  ])
  const grants = createSecretKey(derive(secret, 'isoplex artifact grant'))
  const seals = createSecretKey(derive(secret, 'isoplex credential seal'))
  return Object.freeze({ id: idOfSecret(secret), secret: signing, encryption, grants, seals, untilMs })
}

/** The id of the key of a secret: letters and digits only, so that no command takes it for a flag. */
export function idOfSecret(secret: Uint8Array): string {
  return createHash('sha256').update('isoplex token key\0').update(secret).digest('hex').slice(0, 16)
}

/** A secret as a key for HS256. It may be as short as one byte: whether that is enough is for the caller to say. */
export function importHmacSecret(secret: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  return crypto.subtle.importKey('raw', secret, algorithm, false, ['sign', 'verify'])
}

/** A secret of 32 bytes as a key for A256GCM. */
export function importContentSecret(secret: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', secret, 'AES-GCM', false, ['encrypt', 'decrypt'])
}

/** A secret of its own for a use (HKDF with SHA-256, RFC 5869). */
function derive(secret: Uint8Array, use: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(hkdfSync('sha256', secret, '', use, secretBytes))
}
