import { IsoplexError, isIsoplexError } from '../../error/error.ts'
import { toStorageError } from '../../model/storage-error.ts'

const retryAfterMs = 2_000

/** Makes `JOB_STORE_UNAVAILABLE` or `STORAGE_FULL` of a database's error that means so; any other stays what it is. */
export function toDatabaseError(error: unknown): unknown {
  if (isIsoplexError(error) || !(error instanceof Error) || !('code' in error)) return error
  if (error.code !== 'ERR_POSTGRES_SERVER_ERROR') {
    return away.test(String(error.code)) ? unreachable(error) : toStorageError(error)
  }
  const state = 'errno' in error ? String(error.errno) : ''
  if (state === diskFull) return storageFull(error)
  return passing.test(state) ? unreachable(error) : error
}

// SQLite is away while another process, such as one that makes a copy, keeps it locked.
const away = /^(?:ERR_POSTGRES_|SQLITE_BUSY|SQLITE_LOCKED|SQLITE_IOERR)/
const diskFull = '53100'

/**
 * What PostgreSQL says, by the classes of its appendix A, when it is the server that is not as it should be, and not
 * the statement: connection lost (08), read only (25006), idle for too long (25P03), refused (28, 3D, 55000), given up
 * for another transaction (40), out of something (53), being shut down or stopped by somebody (57), broken (58).
 */
const passing = /^(?:08|28|3D|40|53|57|58|25006|25P03|55000)/

/** What is thrown while the database is away. */
export function unreachable(cause: unknown): IsoplexError<'JOB_STORE_UNAVAILABLE'> {
  return new IsoplexError(
    'JOB_STORE_UNAVAILABLE',
    'The database of the jobs does not answer; jobs that run wait for it, and others can be submitted once it is back.',
    { cause, details: { retryAfterMs, reason: 'unreachable' } },
  )
}

function storageFull(cause: unknown): IsoplexError<'STORAGE_FULL'> {
  return new IsoplexError(
    'STORAGE_FULL',
    'The disk of the database of the jobs is full; free some room there, or let jobs be forgotten sooner (jobRetentionMs).',
    { cause },
  )
}
