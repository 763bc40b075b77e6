import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto'
import type { ProjectKey, ProjectKeys } from './project-key.ts'

/** What became of sealed bytes: they were opened, their key is not there any more, or they were altered. */
export type OpenedBytes =
  | { readonly kind: 'opened'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'keyless' }
  | { readonly kind: 'altered' }

// Form 1: a byte with the form, the key's id, the nonce, the ciphertext, the tag (NIST SP 800-38D).
const form = 1
const algorithm = 'aes-256-gcm'
const idLength = 16
const nonceLength = 12
const tagLength = 16
const headLength = 1 + idLength + nonceLength

/**
 * Encrypts bytes with the first of these keys. `purpose` is no secret and not kept: what was sealed for one is opened for no
 * other.
 */
export function sealBytes(
  [{ id, seals }]: ProjectKeys,
  bytes: Uint8Array,
  purpose: string,
): Uint8Array<ArrayBuffer> {
  const head = Buffer.concat([Buffer.of(form), Buffer.from(id, 'latin1'), randomBytes(nonceLength)])
  const cipher = createCipheriv(algorithm, seals, nonceOf(head)).setAAD(boundTo(head, purpose))
  return Uint8Array.from(Buffer.concat([head, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]))
}

/** Opens what any of these keys has sealed for this purpose, as long as the key counts. */
export function openBytes(
  keys: ProjectKeys,
  sealed: Uint8Array,
  purpose: string,
  nowMs: number = Date.now(),
): OpenedBytes {
  const bytes = Buffer.from(sealed)
  const key = keys.find((candidate) => isSealedBy(candidate, bytes))
  if (key === undefined || !(nowMs < key.untilMs)) return { kind: 'keyless' }
  const plain = decrypt(key.seals, bytes, purpose)
  return plain === null ? { kind: 'altered' } : { kind: 'opened', bytes: plain }
}

function isSealedBy({ id }: ProjectKey, bytes: Buffer): boolean {
  if (bytes.length < headLength + tagLength || bytes[0] !== form) return false
  return bytes.toString('latin1', 1, 1 + idLength) === id
}

function decrypt(key: KeyObject, bytes: Buffer, purpose: string): Uint8Array<ArrayBuffer> | null {
  const head = bytes.subarray(0, headLength)
  const decipher = createDecipheriv(algorithm, key, nonceOf(head), { authTagLength: tagLength })
  decipher.setAAD(boundTo(head, purpose)).setAuthTag(bytes.subarray(-tagLength))
  try {
    const plain = decipher.update(bytes.subarray(headLength, -tagLength))
    return Uint8Array.from(Buffer.concat([plain, decipher.final()]))
  } catch {
    return null
  }
}

function nonceOf(head: Buffer): Buffer {
  return head.subarray(1 + idLength)
}

/** Data that is bound to the ciphertext, beside it: the form, the key and what it is sealed for. */
function boundTo(head: Buffer, purpose: string): Buffer {
  return Buffer.concat([head.subarray(0, 1 + idLength), Buffer.from(purpose, 'utf8')])
}
