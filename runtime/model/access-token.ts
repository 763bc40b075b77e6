import { createHash, randomBytes } from 'node:crypto'

// The log hides what begins so, and tools that look for leaked secrets can tell it. No other name of ours does.
const prefix = 'isoplexat_'

/** Makes the token of an access: a prefix to tell it by, and 256 random bits. */
export function createAccessToken(): string {
  return `${prefix}${randomBytes(32).toString('base64url')}`
}

/** Whether a text is the token of an access by its looks; a model token never is. */
export function isAccessToken(text: string): boolean {
  return text.startsWith(prefix)
}

/**
 * The SHA-256 of a token, by which the registry knows it. A plain hash is enough: nobody guesses 256 random bits.
 */
export function hashAccessToken(token: string): Uint8Array {
  return createHash('sha256').update(token).digest()
}
