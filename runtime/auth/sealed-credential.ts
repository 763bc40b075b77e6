import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto'
import { IsoplexError } from '../error/error.ts'
import { type Credentials, createCredentials } from './credentials.ts'
import type { ProjectKey, ProjectKeys } from './project-key.ts'

/** Seals what a caller's token says, so that it can be kept in a database and used once the caller has gone. */
export interface CredentialSeals {
  /**
   * The credentials, encrypted. `purpose` is no secret: what was sealed for one is opened for no other, so that whoever
   * can write to the database cannot lend one job the rights of another.
   */
  seal(credentials: Credentials, purpose: string): Uint8Array<ArrayBuffer>
  /**
   * What was sealed.
   *
   * @throws {IsoplexError} `TOKEN_INVALID` where it was changed, was sealed for something else, or its key is gone.
   */
  open(sealed: Uint8Array, purpose: string): Credentials
}

type Sealed = Omit<Credentials, 'identity' | 'expiresAtMs'> & { readonly expiresAtMs: number | null }

// Form 1: a byte with the form, the key's id, the nonce, the ciphertext, the tag (NIST SP 800-38D).
const form = 1
const algorithm = 'aes-256-gcm'
const idLength = 16
const nonceLength = 12
const tagLength = 16
const headLength = 1 + idLength + nonceLength

/** Seals with the first of these keys; opens what any of them sealed, as long as it counts. */
export function createCredentialSeals(
  keys: ProjectKeys,
  { now = Date.now }: { readonly now?: () => number } = {},
): CredentialSeals {
  return Object.freeze<CredentialSeals>({
    seal: (credentials, purpose) => {
      const [{ id, seals }] = keys
      const head = Buffer.concat([Buffer.of(form), Buffer.from(id, 'latin1'), randomBytes(nonceLength)])
      const cipher = createCipheriv(algorithm, seals, nonceOf(head)).setAAD(boundTo(head, purpose))
      const parts = [head, cipher.update(textOf(credentials), 'utf8'), cipher.final(), cipher.getAuthTag()]
      return Uint8Array.from(Buffer.concat(parts))
    },
    open: (sealed, purpose) => {
      const bytes = Buffer.from(sealed)
      const key = keys.find((candidate) => isSealedBy(candidate, bytes))
      if (key === undefined || !(now() < key.untilMs)) {
        throw unreadable('the key that it was sealed with is not among those of this server any more')
      }
      const text = decrypt(key.seals, bytes, purpose)
      if (text === null) throw unreadable('it was changed, or sealed for another job')
      const { expiresAtMs, ...said } = JSON.parse(text) as Sealed
      return createCredentials({ ...said, expiresAtMs: expiresAtMs ?? Number.POSITIVE_INFINITY })
    },
  })
}

function textOf({ identity: _, ...said }: Credentials): string {
  return JSON.stringify(said)
}

function isSealedBy({ id }: ProjectKey, bytes: Buffer): boolean {
  if (bytes.length < headLength + tagLength || bytes[0] !== form) return false
  return bytes.toString('latin1', 1, 1 + idLength) === id
}

function decrypt(key: KeyObject, bytes: Buffer, purpose: string): string | null {
  const head = bytes.subarray(0, headLength)
  const decipher = createDecipheriv(algorithm, key, nonceOf(head), { authTagLength: tagLength })
  decipher.setAAD(boundTo(head, purpose)).setAuthTag(bytes.subarray(-tagLength))
  try {
    const plain = decipher.update(bytes.subarray(headLength, -tagLength))
    return Buffer.concat([plain, decipher.final()]).toString('utf8')
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

function unreadable(why: string): IsoplexError<'TOKEN_INVALID'> {
  const message = `The credential with which the job was submitted can no longer be read: ${why}. Submit the job again.`
  return new IsoplexError('TOKEN_INVALID', message, { details: { reason: 'signature' } })
}
