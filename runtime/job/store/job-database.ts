import type { SQL, TransactionSQL } from 'bun'
import { IsoplexError, isIsoplexError } from '../../error/error.ts'
import { openSqliteDatabase } from '../../model/sqlite-database.ts'
import { toDatabaseError } from './database-error.ts'
import { type JobDialect, postgresDialect, sqliteDialect } from './job-dialect.ts'
import { jobSchemaForm, migrateJobs } from './job-schema.ts'
import { createPostgresPool } from './postgres-pool.ts'

/** Where the database of the jobs is: a file of SQLite, or a PostgreSQL server. */
export type JobDatabasePlace = { readonly path: string } | { readonly url: string }

/** The database of the jobs, with its tables in the form of this isoplex. */
export interface JobDatabase {
  readonly dialect: JobDialect
  /**
   * Runs queries that change nothing; they see only what has been committed.
   *
   * @throws {IsoplexError} `JOB_STORE_UNAVAILABLE`.
   */
  read<Result>(work: (sql: SQL) => Promise<Result>): Promise<Result>
  /**
   * Runs a transaction: it takes effect as a whole, or not at all where it throws.
   *
   * @throws {IsoplexError} `JOB_STORE_UNAVAILABLE`: where the connection was lost at the very end, the transaction may
   * have taken effect all the same. `STORAGE_FULL`.
   */
  write<Result>(work: (sql: TransactionSQL) => Promise<Result>): Promise<Result>
  close(): Promise<void>
}

/**
 * Opens the database of the jobs and brings its tables up to date. A server that does not answer yet is asked again by
 * whatever needs it.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` where it is no such database or one of a newer isoplex, `STORAGE_FULL`.
 */
export function openJobDatabase(place: JobDatabasePlace): Promise<JobDatabase> {
  return 'path' in place ? openFile(place.path) : openServer(place.url)
}

async function openFile(path: string): Promise<JobDatabase> {
  const database = await openSqliteDatabase(path, {
    title: 'The database of jobs',
    form: jobSchemaForm,
    migrate: (sql) => migrateJobs(sql, sqliteDialect),
    synchronous: 'NORMAL',
  })
  return Object.freeze({
    dialect: sqliteDialect,
    read: <Result>(work: (sql: SQL) => Promise<Result>) => asDatabaseErrors(() => work(database.reading)),
    write: <Result>(work: (sql: TransactionSQL) => Promise<Result>) =>
      asDatabaseErrors(() => database.write(work)),
    close: database.close,
  })
}

async function openServer(url: string): Promise<JobDatabase> {
  const pool = createPostgresPool(url)
  let prepared = false
  const prepare = async (): Promise<void> => {
    if (prepared) return
    assertForm(await pool.transact((sql) => migrateJobs(sql, postgresDialect)))
    prepared = true
  }
  const afterPreparing = <Result>(work: () => Promise<Result>): Promise<Result> =>
    asDatabaseErrors(async () => {
      await prepare()
      return await work()
    })
  try {
    await afterPreparing(async () => {})
  } catch (error) {
    if (!isIsoplexError(error) || error.code !== 'JOB_STORE_UNAVAILABLE') {
      await pool.close()
      throw error
    }
  }
  return Object.freeze({
    dialect: postgresDialect,
    read: <Result>(work: (sql: SQL) => Promise<Result>) => afterPreparing(() => pool.query(work)),
    write: <Result>(work: (sql: TransactionSQL) => Promise<Result>) =>
      afterPreparing(() => pool.transact(work)),
    close: pool.close,
  })
}

function assertForm(form: number): void {
  if (form === jobSchemaForm) return
  throw new IsoplexError(
    'CONFIG_INVALID',
    `The database of jobs has form ${form}, and this isoplex reads form ${jobSchemaForm}; update isoplex, or choose another database.`,
  )
}

async function asDatabaseErrors<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw toDatabaseError(error)
  }
}
