import { pathToFileURL } from 'node:url'
import { SQL, type TransactionSQL } from 'bun'
import { IsoplexError } from '../error/error.ts'
import { migrate, schemaForm } from './registry-schema.ts'
import { hasCode, toStorageError } from './storage-error.ts'

/** The registry's tables. */
export interface RegistryDatabase {
  /** For queries: it sees only what has been committed. */
  readonly reading: SQL
  /** Runs a transaction once no other one is open, in this process or another. */
  write<Result>(work: (sql: TransactionSQL) => Promise<Result>): Promise<Result>
  close(): Promise<void>
}

const readTimeoutMs = 5_000
const lockTimeoutMs = 30_000
const lockRetryMs = 10

/**
 * Opens the registry's database; makes its tables where it is new, and brings those of an older isoplex up to date.
 * Several processes may do so at once.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` where the file is no registry or one of a newer isoplex, `STORAGE_FULL`.
 */
export async function openRegistryDatabase(path: string): Promise<RegistryDatabase> {
  const connections: SQL[] = []
  const close = async (): Promise<void> => {
    for (const connection of connections) await connection.close()
  }
  try {
    // Whatever is asked of a connection runs inside the transaction that is open on it, hence one for reading.
    const writing = connect(path, connections)
    const reading = connect(path, connections)
    // A lock is waited for in `untilUnlocked`: SQLite would wait with its thread, which may be the one to unlock.
    await writing`PRAGMA busy_timeout = 0`
    await untilUnlocked(() => writing`PRAGMA journal_mode = WAL`)
    await writing`PRAGMA foreign_keys = ON`
    await reading.unsafe(`PRAGMA busy_timeout = ${readTimeoutMs}`)
    const write = <Result>(work: (sql: TransactionSQL) => Promise<Result>): Promise<Result> =>
      untilUnlocked(async () => (await writing.begin('IMMEDIATE', work)) as Result)
    assertForm(await write(migrate), path)
    return Object.freeze({ reading, write, close })
  } catch (error) {
    await close()
    throw toOpenError(error, path)
  }
}

function connect(path: string, connections: SQL[]): SQL {
  // As a URL, since a plain path would end at its first question mark.
  const connection = new SQL({ adapter: 'sqlite', filename: pathToFileURL(path).href })
  connections.push(connection)
  return connection
}

/** Tries again while others hold the lock. An immediate transaction meets it at its beginning, or not at all. */
async function untilUnlocked<Result>(work: () => Promise<Result>): Promise<Result> {
  const deadlineMs = performance.now() + lockTimeoutMs
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadlineMs) throw error
      await Bun.sleep(lockRetryMs)
    }
  }
}

function assertForm(form: number, path: string): void {
  if (form === schemaForm) return
  throw new IsoplexError(
    'CONFIG_INVALID',
    `The model registry ${path} has form ${form}, and this isoplex reads form ${schemaForm}; update isoplex, or choose another state directory.`,
  )
}

function isBusy(error: unknown): boolean {
  return hasCode(error, 'SQLITE_BUSY', 'SQLITE_BUSY_RECOVERY', 'SQLITE_BUSY_SNAPSHOT', 'SQLITE_LOCKED')
}

function toOpenError(error: unknown, path: string): unknown {
  const stored = toStorageError(error)
  if (!(stored instanceof Error) || stored instanceof IsoplexError || isBusy(stored)) return stored
  return new IsoplexError(
    'CONFIG_INVALID',
    `The model registry ${path} cannot be opened: ${stored.message}. Move the file away to begin a new one, or choose another state directory.`,
    { cause: error },
  )
}
