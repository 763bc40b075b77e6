import { lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'

const prefixOf = (): string => `isoplex-${userInfo().uid}-`

/**
 * Makes a folder for the sockets of this process, open to its user only. It lies in the system's folder for
 * temporary files, since a socket's path may have about 100 bytes only. What processes that have died left
 * behind is removed first.
 */
export function makeRunDirectory(): string {
  sweepRunDirectories()
  return mkdtempSync(join(tmpdir(), `${prefixOf()}${process.pid}-`))
}

/** Removes a folder that {@link makeRunDirectory} made. */
export function removeRunDirectory(directory: string): void {
  rmSync(directory, { recursive: true, force: true })
}

function sweepRunDirectories(): void {
  const prefix = prefixOf()
  for (const name of readdirSync(tmpdir())) {
    const pid = name.startsWith(prefix) ? Number.parseInt(name.slice(prefix.length), 10) : Number.NaN
    if (pid > 0 && !isAlive(pid)) removeIfOwn(join(tmpdir(), name))
  }
}

/** The folder is everybody's: what another user put there, or is removing just now, is no reason not to start. */
function removeIfOwn(directory: string): void {
  try {
    if (lstatSync(directory).uid === userInfo().uid) removeRunDirectory(directory)
  } catch {
    // It stays, as harmless as it was.
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Somebody else's process is alive as well.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
