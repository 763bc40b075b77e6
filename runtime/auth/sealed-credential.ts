import { IsoplexError } from '../error/error.ts'
import { type Credentials, createCredentials } from './credentials.ts'
import type { ProjectKeys } from './project-key.ts'
import { openBytes, sealBytes } from './sealed-bytes.ts'

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

/** Seals with the first of these keys; opens what any of them sealed, as long as it counts. */
export function createCredentialSeals(
  keys: ProjectKeys,
  { now = Date.now }: { readonly now?: () => number } = {},
): CredentialSeals {
  return Object.freeze<CredentialSeals>({
    seal: (credentials, purpose) => sealBytes(keys, Buffer.from(textOf(credentials), 'utf8'), purpose),
    open: (sealed, purpose) => {
      const opened = openBytes(keys, sealed, purpose, now())
      if (opened.kind === 'keyless') {
        throw unreadable('the key that it was sealed with is not among those of this server any more')
      }
      if (opened.kind === 'altered') throw unreadable('it was changed, or sealed for another job')
      const { expiresAtMs, ...said } = JSON.parse(new TextDecoder().decode(opened.bytes)) as Sealed
      return createCredentials({ ...said, expiresAtMs: expiresAtMs ?? Number.POSITIVE_INFINITY })
    },
  })
}

function textOf({ identity: _, ...said }: Credentials): string {
  return JSON.stringify(said)
}

function unreadable(why: string): IsoplexError<'TOKEN_INVALID'> {
  const message = `The credential with which the job was submitted can no longer be read: ${why}. Submit the job again.`
  return new IsoplexError('TOKEN_INVALID', message, { details: { reason: 'signature' } })
}
