import type { Checksum } from './backend.ts'

const forms = [
  { algorithm: 'sha256', pattern: /^(?:sha-?256:)?([0-9a-f]{64})$/i },
  { algorithm: 'md5', pattern: /^(?:md5:)?([0-9a-f]{32})$/i },
] as const

/**
 * Reads what a backend gives as a checksum: `sha256:` or `md5:` and hexadecimal digits, or the digits alone, 64 of
 * SHA-256 or 32 of MD5. Anything else says nothing and is `null`.
 */
export function parseChecksum(value: unknown): Checksum | null {
  if (typeof value !== 'string') return null
  for (const { algorithm, pattern } of forms) {
    const digits = pattern.exec(value)?.[1]
    if (digits !== undefined) return Object.freeze({ algorithm, value: digits.toLowerCase() })
  }
  return null
}

/** The digests of bytes, taken while they come. */
export interface ArtifactHash {
  update(chunk: Uint8Array): void
  /** The SHA-256 of all of it, and whether a checksum fits. To be called once, at the end. */
  finish(): { readonly digest: string; matches(checksum: Checksum): boolean }
}

/** Starts the digests that an artifact is known by and held against. */
export function createArtifactHash(checksum: Checksum | null): ArtifactHash {
  const sha256 = new Bun.CryptoHasher('sha256')
  const md5 = checksum?.algorithm === 'md5' ? new Bun.CryptoHasher('md5') : null
  return Object.freeze({
    update(chunk: Uint8Array) {
      sha256.update(chunk)
      md5?.update(chunk)
    },
    finish() {
      const digest = sha256.digest('hex')
      const values = { sha256: digest, md5: md5?.digest('hex') }
      return { digest, matches: ({ algorithm, value }: Checksum) => values[algorithm] === value }
    },
  })
}
