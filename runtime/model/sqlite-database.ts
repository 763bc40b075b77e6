import { pathToFileURL } from 'node:url'
import { SQL, type TransactionSQL } from 'bun'
import { IsoplexError } from '../error/error.ts'
import { hasCode, toStorageError } from './storage-error.ts'

/** Tables in a file. */
export interface SqliteDatabase {
  /** For queries: it sees only what has been committed. */
  readonly reading: SQL
  /** Runs a transaction once no other one is open, in this process or another. */
  write<Result>(work: (sql: TransactionSQL) => Promise<Result>): Promise<Result>
  close(): Promise<void>
}

/** What a file holds. */
export interface SqliteSchema {
  /** What the file is, as messages are to call it: `The model registry`. */
  readonly title: string
  /** The form of the tables that this isoplex reads and writes. */
  readonly form: number
  /** Brings the tables up to that form and gives the one that they have then; a higher one is left alone. */
  readonly migrate: (sql: TransactionSQL) => Promise<number>
  /** Whether what has been committed outlives a failure of power; a death of the process it always outlives. */
  readonly synchronous: 'FULL' | 'NORMAL'
}

const readTimeoutMs = 5_000
const lockTimeoutMs = 30_000
const lockRetryMs = 10

/**
 * Opens a database in a file; makes its tables where it is new, and brings those of an older isoplex up to date.
 * Several processes may do so at once.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` where the file is no such database or one of a newer isoplex, `STORAGE_FULL`.
 */
export async function openSqliteDatabase(path: string, schema: SqliteSchema): Promise<SqliteDatabase> {
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
    // A credential that is wiped must not be found in the file.
    await writing`PRAGMA secure_delete = ON`
    await writing.unsafe(`PRAGMA synchronous = ${schema.synchronous}`)
    await reading.unsafe(`PRAGMA busy_timeout = ${readTimeoutMs}`)
    const write = <Result>(work: (sql: TransactionSQL) => Promise<Result>): Promise<Result> =>
      untilUnlocked(async () => (await writing.begin('IMMEDIATE', work)) as Result)
    assertForm(await write(schema.migrate), path, schema)
    return Object.freeze({ reading, write, close })
  } catch (error) {
    await close()
    throw toOpenError(error, path, schema)
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

function assertForm(found: number, path: string, { title, form }: SqliteSchema): void {
  if (found === form) return
  throw new IsoplexError(
    'CONFIG_INVALID',
    `${title} ${path} has form ${found}, and this isoplex reads form ${form}; update isoplex, or choose another state directory.`,
  )
}

function isBusy(error: unknown): boolean {
  return hasCode(error, 'SQLITE_BUSY', 'SQLITE_BUSY_RECOVERY', 'SQLITE_BUSY_SNAPSHOT', 'SQLITE_LOCKED')
}

function toOpenError(error: unknown, path: string, { title }: SqliteSchema): unknown {
  const stored = toStorageError(error)
  if (!(stored instanceof Error) || stored instanceof IsoplexError || isBusy(stored)) return stored
  return new IsoplexError(
    'CONFIG_INVALID',
    `${title} ${path} cannot be opened: ${stored.message}. Move the file away to begin a new one, or choose another state directory.`,
    { cause: error },
  )
}
