import { Database } from 'bun:sqlite'
import { hasCode } from './storage-error.ts'

const pollMs = 50

/**
 * Works while no other process on this machine, and nobody else in this one, works under the same lock; whoever
 * comes later waits. As {@link tryFileLock}.
 */
export async function withFileLock<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  const database = openLock(path)
  try {
    while (!tryLock(database)) await Bun.sleep(pollMs)
    return await work()
  } finally {
    database.close()
  }
}

/**
 * Takes a lock that no other process on this machine, and nobody else in this one, has; it is let go of when it is
 * disposed of. `null` where somebody has it. The lock is an empty SQLite database locked exclusively: the operating
 * system lets go of it at any death of its holder, so that none is ever left behind, and none is ever taken from a
 * living one. The file stays, for a name that comes back would be another lock.
 */
export function tryFileLock(path: string): Disposable | null {
  const database = openLock(path)
  let isLocked = false
  try {
    isLocked = tryLock(database)
    return isLocked ? { [Symbol.dispose]: () => database.close() } : null
  } finally {
    if (!isLocked) database.close()
  }
}

function openLock(path: string): Database {
  return new Database(path, { create: true, readwrite: true })
}

function tryLock(database: Database): boolean {
  try {
    // Without a journal there is no file beside this one; nothing is ever written into either.
    database.exec('PRAGMA busy_timeout = 0; PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE')
    return true
  } catch (error) {
    if (hasCode(error, 'SQLITE_BUSY')) return false
    throw error
  }
}
