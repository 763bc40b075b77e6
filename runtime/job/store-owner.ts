import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tryFileLock } from '../model/file-lock.ts'

/**
 * Makes this process the owner of a job store, unless one that lives is. The operating system knows who that is, so that
 * a death leaves no owner behind.
 *
 * @param path of a file beside the store, in a folder that is there; it stays
 * @returns what gives the store up when it is disposed of; `null` where it has an owner
 */
export function tryOwn(path: string): Disposable | null {
  const lock = tryFileLock(path)
  if (lock === null) return null
  const note = noteOf(path)
  try {
    writeFileSync(note, String(process.pid), { mode: 0o600 })
  } catch {
    // It is for people: a full disk is no reason not to own the store.
  }
  return {
    [Symbol.dispose]: () => {
      rmSync(note, { force: true })
      lock[Symbol.dispose]()
    },
  }
}

/** The process id of a store's owner, for people; `null` where it is not known. */
export function ownerOf(path: string): number | null {
  try {
    const noted = Number(readFileSync(noteOf(path), 'utf8'))
    return Number.isSafeInteger(noted) && noted > 0 ? noted : null
  } catch {
    return null
  }
}

function noteOf(path: string): string {
  return `${path}.pid`
}
