import type { SQL, TransactionSQL } from 'bun'
import { assertInput, isCount } from './input.ts'

/** What was done to the models that are loaded. */
export type ResidencyAction = 'model.load' | 'model.unload' | 'model.pin' | 'model.unpin'

/** What was done to the registry. */
export type AuditAction =
  | 'model.add'
  | 'model.remove'
  | 'alias.set'
  | 'alias.remove'
  | 'tenant.add'
  | 'tenant.revoke'
  | 'access.add'
  | 'access.revoke'
  | 'application.register'
  | ResidencyAction

/** One change of the registry. */
export interface AuditEntry {
  /** They count up. */
  readonly id: number
  /** In milliseconds since 1970. */
  readonly atMs: number
  /** Who did it, as the caller of the registry named them. */
  readonly actor: string
  readonly action: AuditAction
  /** What it was done to: a model such as `digits@3`, an alias such as `digits@prod`, a tenant, an access's id. */
  readonly target: string
  /** Values that JSON can carry; never a secret. */
  readonly details: Readonly<Record<string, unknown>>
}

/** Which part of the audit is asked for. */
export interface AuditPage {
  /** How many entries at most: 1 to 1,000. */
  readonly limit: number
  /** Only entries older than the one of this id. @default the newest */
  readonly before?: number | undefined
}

interface AuditRow {
  readonly id: number
  readonly at_ms: number
  readonly actor: string
  readonly action: AuditAction
  readonly target: string
  readonly details: string
}

const longestPage = 1000

/** Writes an entry; it counts once the transaction does. */
export async function insertAuditEntry(
  sql: TransactionSQL,
  { atMs, actor, action, target, details }: Omit<AuditEntry, 'id'>,
): Promise<void> {
  await sql`
    INSERT INTO audit (at_ms, actor, action, target, details)
    VALUES (${atMs}, ${actor}, ${action}, ${target}, ${JSON.stringify(details)})`
}

/**
 * Reads a page of the audit, newest first.
 *
 * @throws {IsoplexError} `INPUT_INVALID`
 */
export async function listAuditEntries(
  sql: SQL,
  { limit, before = Number.MAX_SAFE_INTEGER }: AuditPage,
): Promise<readonly AuditEntry[]> {
  const mustBe = `a whole number from 1 to ${longestPage}`
  assertInput(
    ['/limit', isCount(limit) && limit <= longestPage, mustBe],
    ['/before', isCount(before), 'the id of an entry'],
  )
  const rows = await sql<AuditRow[]>`
    SELECT * FROM audit WHERE id < ${before} ORDER BY id DESC LIMIT ${limit}`
  return Object.freeze(
    rows.map(({ id, at_ms, actor, action, target, details }) =>
      Object.freeze({ id, atMs: at_ms, actor, action, target, details: Object.freeze(JSON.parse(details)) }),
    ),
  )
}
