import { IsoplexError } from '../error/error.ts'
import type { AccessRights, CheckedAccess } from '../model/access-table.ts'

/** What an access token gives, as the registry knows it just now; `null` for one that gives nothing. */
export type CheckAccess = (parameters: { readonly token: string }) => Promise<CheckedAccess | null>

/** Which access a path needs. */
export interface AccessNeed {
  /** The least right. */
  readonly rights: AccessRights
  /** Whether the headers of a Synapse client count as well, besides `Authorization: Bearer`. */
  readonly synapse: boolean
}

const ranks: Readonly<Record<AccessRights, number>> = { use: 0, publish: 1, admin: 2 }
// Longer than any that the registry makes; what is longer still need not be looked up.
const longestToken = 512

/**
 * Holds a request to carry an access token that gives a right. It is looked up each time, so that a revocation
 * counts at once. A model token is none.
 *
 * @throws {IsoplexError} `ACCESS_REQUIRED`, `ACCESS_FORBIDDEN`
 */
export async function requireAccess(
  headers: Headers,
  { rights, synapse }: AccessNeed,
  checkAccess: CheckAccess,
): Promise<CheckedAccess> {
  const token = readAccessToken(headers, synapse)
  const access = token === null ? null : await checkAccess({ token })
  if (access === null) throw accessRequired(token !== null, synapse)
  if (ranks[access.rights] < ranks[rights]) throw accessForbidden(`the right "${rights}"`)
  assertTenant(headers, access, synapse)
  return access
}

/** The access token of a request, as it was sent; `null` for none, or for several that differ. */
export function readAccessToken(headers: Headers, synapse: boolean): string | null {
  const pattern = synapse ? /^(?:Token|Bearer) +([\x21-\x7e]+)$/i : /^Bearer +([\x21-\x7e]+)$/i
  const given = [headers.get('authorization'), synapse ? headers.get('synapse-access-token') : null]
  const tokens = new Set(
    given.filter((value) => value !== null).map((value) => pattern.exec(value)?.[1] ?? ''),
  )
  const [token = ''] = tokens
  return tokens.size === 1 && token !== '' && token.length <= longestToken ? token : null
}

/** A Synapse client may name its tenant, and can mean its own only. */
function assertTenant(headers: Headers, { tenant }: CheckedAccess, synapse: boolean): void {
  const named = synapse ? headers.get('synapse-tenant') : null
  if (named === null || named.replace(/^Token +/i, '') === tenant) return
  throw accessForbidden('the tenant that the header Synapse-Tenant names')
}

function accessRequired(wasSent: boolean, synapse: boolean): IsoplexError<'ACCESS_REQUIRED'> {
  const forms = synapse ? 'Authorization: Token or Synapse-Access-Token: Token' : 'Authorization: Bearer'
  const message = wasSent
    ? 'The access token is unknown, revoked or expired; "isoplex access add" makes one.'
    : `Send one access token of the registry as ${forms}; "isoplex access add" makes one.`
  return new IsoplexError('ACCESS_REQUIRED', message)
}

function accessForbidden(missing: string): IsoplexError<'ACCESS_FORBIDDEN'> {
  return new IsoplexError('ACCESS_FORBIDDEN', `The access token does not give ${missing}.`)
}
