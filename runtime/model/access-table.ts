import type { SQL } from 'bun'
import { IsoplexError } from '../error/error.ts'
import { createAccessToken, hashAccessToken } from './access-token.ts'
import { assertInput, isCount, isName, isPlainText, nameRule } from './input.ts'
import { isModelId } from './model-id.ts'
import { assertTenant } from './tenant-table.ts'
import type { Transaction } from './transaction.ts'

/**
 * What an access may do: `use` models, also `publish` them, also `admin`ister the registry. Each holds the one before.
 */
export type AccessRights = 'use' | 'publish' | 'admin'

/** An access to be added. */
export interface AccessOptions {
  /** The tenant for whom it is; `null` for none, and then it gives only models that are for every tenant. */
  readonly tenant: string | null
  /** The ids of the models that it gives, at most 1,000; `null` for all that its tenant may use. */
  readonly models: readonly string[] | null
  readonly rights: AccessRights
  /** What people know it by: up to 200 characters, none of them a control character. */
  readonly label: string
  /** When it ends, in milliseconds since 1970: a time to come; `null` for never. */
  readonly expiresAtMs: number | null
}

/** An access of the registry, without its token. */
export interface RegisteredAccess extends AccessOptions {
  /** They count 1, 2, 3, and none is given twice. */
  readonly id: number
  readonly addedAtMs: number
  /** `null` while it is not revoked; it may have expired all the same. */
  readonly revokedAtMs: number | null
}

/** An access that was just added. */
export interface CreatedAccess {
  readonly id: number
  /** Its token, which nobody can find out again. */
  readonly token: string
}

/** What an access token gives its bearer. */
export interface CheckedAccess {
  readonly id: number
  readonly tenant: string | null
  readonly models: readonly string[] | null
  readonly rights: AccessRights
}

/** An access as the registry's table has it, less the hash of its token. */
export interface AccessRow {
  readonly id: number
  readonly tenant: string | null
  readonly models: string | null
  readonly rights: AccessRights
  readonly label: string
  readonly added_at_ms: number
  readonly expires_at_ms: number | null
  readonly revoked_at_ms: number | null
}

const mostModels = 1000
const longestLabel = 200
const allRights: ReadonlySet<unknown> = new Set<AccessRights>(['use', 'publish', 'admin'])

/** All accesses, oldest first. */
export async function listAccesses(sql: SQL): Promise<readonly RegisteredAccess[]> {
  const rows = await sql<AccessRow[]>`
    SELECT id, tenant, models, rights, label, added_at_ms, expires_at_ms, revoked_at_ms FROM accesses ORDER BY id`
  return Object.freeze(rows.map(toRegisteredAccess))
}

/**
 * Adds an access and makes its token, of which only the hash is kept.
 *
 * @throws {IsoplexError} `INPUT_INVALID`, `ENTRY_NOT_FOUND` where its tenant was not added, or was revoked.
 */
export async function addAccess(transaction: Transaction, options: AccessOptions): Promise<CreatedAccess> {
  const { sql, nowMs, note } = transaction
  const { tenant, models, rights, label, expiresAtMs } = options
  assertAccess(options, nowMs)
  if (tenant !== null) await assertTenant(transaction, tenant)
  const token = createAccessToken()
  const given = models && [...new Set(models)]
  const [row] = await sql<{ id: number }[]>`
    INSERT INTO accesses (token_hash, tenant, models, rights, label, added_at_ms, expires_at_ms)
    VALUES (${hashAccessToken(token)}, ${tenant}, ${given && JSON.stringify(given)}, ${rights}, ${label},
      ${nowMs}, ${expiresAtMs})
    RETURNING id`
  if (row === undefined) throw new Error('the table of accesses gave no id')
  await note('access.add', String(row.id), {
    tenant,
    modelCount: given?.length ?? null,
    rights,
    label,
    expiresAtMs,
  })
  return Object.freeze({ id: row.id, token })
}

/**
 * Revokes an access; one that is revoked stays as it is.
 *
 * @throws {IsoplexError} `INPUT_INVALID`, `ENTRY_NOT_FOUND`.
 */
export async function revokeAccess({ sql, nowMs, note }: Transaction, id: number): Promise<RegisteredAccess> {
  assertInput(['/id', isCount(id), 'the id of an access'])
  const [known] = await sql<AccessRow[]>`
    SELECT id, tenant, models, rights, label, added_at_ms, expires_at_ms, revoked_at_ms FROM accesses
    WHERE id = ${id}`
  if (known === undefined) throw accessNotFound(id)
  if (known.revoked_at_ms !== null) return toRegisteredAccess(known)
  await sql`UPDATE accesses SET revoked_at_ms = ${nowMs} WHERE id = ${id}`
  await note('access.revoke', String(id), { tenant: known.tenant, label: known.label })
  return toRegisteredAccess({ ...known, revoked_at_ms: nowMs })
}

function assertAccess({ tenant, models, rights, label, expiresAtMs }: AccessOptions, nowMs: number): void {
  const few = models === null || (Array.isArray(models) && models.length <= mostModels)
  const later = expiresAtMs === null || (isCount(expiresAtMs) && expiresAtMs > nowMs)
  assertInput(
    ['/tenant', tenant === null || isName(tenant), `null, or ${nameRule}`],
    ['/models', few, `null, or at most ${mostModels} ids of models`],
    ['/models', !few || (models?.every(isModelId) ?? true), 'ids of models, without versions or aliases'],
    ['/rights', allRights.has(rights), '"use", "publish" or "admin"'],
    [
      '/label',
      isPlainText(label, longestLabel),
      `a text of at most ${longestLabel} characters without control characters`,
    ],
    ['/expiresAtMs', later, 'null, or a time to come in milliseconds since 1970'],
  )
}

function accessNotFound(id: number): IsoplexError<'ENTRY_NOT_FOUND'> {
  const text = `There is no access ${id}; "isoplex access list" shows those there are.`
  return new IsoplexError('ENTRY_NOT_FOUND', text, { details: { entry: String(id) } })
}

function toRegisteredAccess(row: AccessRow): RegisteredAccess {
  const { id, tenant, models, rights, label } = row
  return Object.freeze({
    id,
    tenant,
    models: parseModels(models),
    rights,
    label,
    addedAtMs: row.added_at_ms,
    expiresAtMs: row.expires_at_ms,
    revokedAtMs: row.revoked_at_ms,
  })
}

/** The ids of models as the table has them. */
export function parseModels(json: string | null): readonly string[] | null {
  return json === null ? null : Object.freeze(JSON.parse(json))
}
