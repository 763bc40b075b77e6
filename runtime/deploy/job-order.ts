import type { ProjectKeys } from '../auth/project-key.ts'
import { openBytes, sealBytes } from '../auth/sealed-bytes.ts'
import { IsoplexError } from '../error/error.ts'

/** What a job takes along to a cluster. Only machines with the cluster's key can read it. */
export interface JobOrder {
  /** Tells this job's words from those of others in a log. Of no use to anybody without the key. */
  readonly nonce: string
  /** The action's name. */
  readonly action: string
  /** Its parameters as JSON; `null` where none are given. */
  readonly params: string | null
  readonly tenant: string | null
  /** Variables that the job is to have: the access token is among them. */
  readonly environment: Readonly<Record<string, string>>
}

const purpose = 'isoplex job order'
/** Linux gives one variable 128 KiB. */
const longestText = 120_000

/**
 * Seals an order, as a text for a variable.
 *
 * @throws {IsoplexError} `BODY_TOO_LARGE` where the parameters are more than a variable may hold.
 */
export function sealJobOrder(keys: ProjectKeys, order: JobOrder): string {
  const sealed = sealBytes(keys, new TextEncoder().encode(JSON.stringify(order)), purpose)
  const text = Buffer.from(sealed).toString('base64url')
  if (text.length <= longestText) return text
  const limitBytes = Math.floor((longestText * 3) / 4)
  const message = `The parameters of a job on a cluster may come to ${limitBytes} bytes; give what is larger by URL.`
  throw new IsoplexError('BODY_TOO_LARGE', message, { details: { limitBytes } })
}

/** Opens a sealed order. @throws {IsoplexError} `TOKEN_INVALID` where it was sealed with another key, or altered. */
export function openJobOrder(keys: ProjectKeys, text: string): JobOrder {
  const opened = openBytes(keys, Buffer.from(text, 'base64url'), purpose)
  // What the key opens was written by its holder.
  if (opened.kind === 'opened') return JSON.parse(new TextDecoder().decode(opened.bytes)) as JobOrder
  const why =
    opened.kind === 'keyless'
      ? 'it was sealed with another key than the one of this machine'
      : 'it was altered'
  throw new IsoplexError('TOKEN_INVALID', `The order of the job cannot be read: ${why}.`, {
    details: { reason: 'signature' },
  })
}
