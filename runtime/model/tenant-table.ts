import type { SQL } from 'bun'
import { IsoplexError } from '../error/error.ts'
import { assertInput, isName, nameRule } from './input.ts'
import type { Transaction } from './transaction.ts'

/** A tenant of the registry. */
export interface RegisteredTenant {
  readonly name: string
  /** When it was added, in milliseconds since 1970; the last time, where it was revoked and added again. */
  readonly addedAtMs: number
  /** `null` while it counts. */
  readonly revokedAtMs: number | null
}

interface TenantRow {
  readonly name: string
  readonly added_at_ms: number
  readonly revoked_at_ms: number | null
}

/** All tenants, in the order of their names. */
export async function listTenants(sql: SQL): Promise<readonly RegisteredTenant[]> {
  const rows = await sql<TenantRow[]>`SELECT * FROM tenants ORDER BY name`
  return Object.freeze(rows.map(toRegisteredTenant))
}

/** Adds a tenant, or takes in again one that was revoked; one that counts stays as it is. */
export async function addTenant({ sql, nowMs, note }: Transaction, name: string): Promise<RegisteredTenant> {
  assertInput(['/name', isName(name), nameRule])
  const [known] = await sql<TenantRow[]>`SELECT * FROM tenants WHERE name = ${name}`
  if (known?.revoked_at_ms === null) return toRegisteredTenant(known)
  await sql`
    INSERT INTO tenants (name, added_at_ms) VALUES (${name}, ${nowMs})
    ON CONFLICT (name) DO UPDATE SET added_at_ms = excluded.added_at_ms, revoked_at_ms = NULL`
  await note('tenant.add', name)
  return Object.freeze({ name, addedAtMs: nowMs, revokedAtMs: null })
}

/**
 * Revokes a tenant and its accesses, which then stay revoked whatever becomes of the tenant.
 *
 * @throws {IsoplexError} `ENTRY_NOT_FOUND`
 */
export async function revokeTenant(
  { sql, nowMs, note }: Transaction,
  name: string,
): Promise<RegisteredTenant> {
  assertInput(['/name', isName(name), nameRule])
  const [known] = await sql<TenantRow[]>`SELECT * FROM tenants WHERE name = ${name}`
  if (known === undefined) throw tenantNotFound(name)
  if (known.revoked_at_ms !== null) return toRegisteredTenant(known)
  await sql`UPDATE tenants SET revoked_at_ms = ${nowMs} WHERE name = ${name}`
  const accesses = await sql<{ id: number }[]>`
    UPDATE accesses SET revoked_at_ms = ${nowMs} WHERE tenant = ${name} AND revoked_at_ms IS NULL RETURNING id`
  await note('tenant.revoke', name, { accesses: accesses.map(({ id }) => id) })
  return toRegisteredTenant({ ...known, revoked_at_ms: nowMs })
}

/**
 * Holds a tenant to be one that counts.
 *
 * @throws {IsoplexError} `ENTRY_NOT_FOUND`
 */
export async function assertTenant({ sql }: Transaction, name: string): Promise<void> {
  const [known] = await sql<TenantRow[]>`SELECT * FROM tenants WHERE name = ${name}`
  if (known?.revoked_at_ms !== null) throw tenantNotFound(name)
}

function tenantNotFound(name: string): IsoplexError<'ENTRY_NOT_FOUND'> {
  const text = `There is no tenant ${JSON.stringify(name)} that counts; "isoplex tenants add" adds one.`
  return new IsoplexError('ENTRY_NOT_FOUND', text, { details: { entry: name } })
}

function toRegisteredTenant({ name, added_at_ms, revoked_at_ms }: TenantRow): RegisteredTenant {
  return Object.freeze({ name, addedAtMs: added_at_ms, revokedAtMs: revoked_at_ms })
}
