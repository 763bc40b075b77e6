import { IsoplexError, isIsoplexError } from '../../error/error.ts'
import { toStorageError } from '../../model/storage-error.ts'

const retryAfterMs = 2_000

/** Makes `JOB_STORE_UNAVAILABLE` or `STORAGE_FULL` of a database's error that means so; any other stays what it is. */
export function toDatabaseError(error: unknown): unknown {
  if (isIsoplexError(error) || !(error instanceof Error)) return error
  if (isOutOfReach(error)) return unreachable(error)
  return toStorageError(error)
}

/** What is thrown while the database is away. */
export function unreachable(cause: unknown): IsoplexError<'JOB_STORE_UNAVAILABLE'> {
  return new IsoplexError(
    'JOB_STORE_UNAVAILABLE',
    'The database of the jobs does not answer; jobs that run wait for it, and others can be submitted once it is back.',
    { cause, details: { retryAfterMs, reason: 'unreachable' } },
  )
}

function isOutOfReach(error: Error): boolean {
  const code = 'code' in error ? String(error.code) : ''
  return code.startsWith('ERR_POSTGRES_') && code !== 'ERR_POSTGRES_SERVER_ERROR'
}
