import type { TransactionSQL } from 'bun'
import { type AuditAction, insertAuditEntry } from './audit-table.ts'
import { assertInput, isName, nameRule } from './input.ts'
import type { RegistryDatabase } from './registry-database.ts'
import { toStorageError } from './storage-error.ts'

/** Who makes a change: whatever the audit is to show, such as `cli` or `access 7`. */
export interface Change {
  /** 1 to 256 characters, none of them a control character. */
  readonly actor: string
}

/** A change of the registry that is under way. It takes effect as a whole or not at all. */
export interface Transaction {
  readonly sql: TransactionSQL
  /** The time of the change, in milliseconds since 1970. */
  readonly nowMs: number
  /** Writes what was changed into the audit. `details` hold no secret. */
  note(action: AuditAction, target: string, details?: Readonly<Record<string, unknown>>): Promise<void>
}

/** By whom and when a transaction is made. */
export interface TransactionFacts extends Change {
  readonly nowMs: number
}

/**
 * Runs a change of the registry and its lines in the audit as one transaction.
 *
 * @throws {IsoplexError} `INPUT_INVALID` at a wrong actor, `STORAGE_FULL`.
 */
export async function transact<Result>(
  database: RegistryDatabase,
  { actor, nowMs }: TransactionFacts,
  work: (transaction: Transaction) => Promise<Result>,
): Promise<Result> {
  assertInput(['/actor', isName(actor), nameRule])
  try {
    return await database.write((sql) =>
      work({
        sql,
        nowMs,
        note: (action, target, details = {}) =>
          insertAuditEntry(sql, { atMs: nowMs, actor, action, target, details }),
      }),
    )
  } catch (error) {
    throw toStorageError(error)
  }
}
