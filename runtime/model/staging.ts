import { readFileSync } from 'node:fs'
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { syncFolder } from './durable-file.ts'
import { hasCode } from './storage-error.ts'

/** How long a stranger's leftover lies untouched before it counts as left behind. */
const strangerMs = 86_400_000

/** A folder aside, where files and folders are made before they are moved to where they belong, whole. */
export interface Staging {
  /** Makes something at a new path, which it gives. If that fails, nothing of it is left. */
  make(work: (path: string) => Promise<void>): Promise<string>
  /** Moves what was made to where it belongs. A file replaces one that is there; a folder that is there stays. */
  adopt(made: string, path: string): Promise<void>
  /** Removes something that others may be looking at, so that nobody sees half of it. It need not be there. */
  remove(path: string): Promise<void>
}

/**
 * Opens a staging folder and sweeps out what dead processes left. The name of a path says who works there:
 * process, its start, and machine. What belongs to a living process stays; what belongs to another machine
 * that shares the folder goes once it has not been touched for a day.
 */
export async function openStaging(directory: string): Promise<Staging> {
  await mkdir(directory, { recursive: true })
  for (const name of await readdir(directory)) {
    const path = join(directory, name)
    if (await isLeftBehind(path, name)) await rm(path, { recursive: true, force: true })
  }
  const start = startOf(process.pid) ?? ''
  const newPath = (): string =>
    join(directory, [process.pid, start, crypto.randomUUID(), hostname()].join('.'))
  return Object.freeze({
    make: (work: (path: string) => Promise<void>) => make(newPath(), work),
    adopt,
    remove: (path: string) => removeBy(newPath(), path),
  })
}

async function make(path: string, work: (path: string) => Promise<void>): Promise<string> {
  try {
    await work(path)
    return path
  } catch (error) {
    await rm(path, { recursive: true, force: true })
    throw error
  }
}

async function adopt(made: string, path: string): Promise<void> {
  try {
    await rename(made, path)
    await syncFolder(dirname(path))
  } catch (error) {
    await rm(made, { recursive: true, force: true })
    if (!hasCode(error, 'ENOTEMPTY', 'EEXIST')) throw error
  }
}

async function removeBy(aside: string, path: string): Promise<void> {
  try {
    await rename(path, aside)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return
    throw error
  }
  await rm(aside, { recursive: true, force: true })
}

async function isLeftBehind(path: string, name: string): Promise<boolean> {
  const [pid, start, , ...host] = name.split('.')
  if (host.join('.') === hostname()) return !isAlive(Number(pid), start ?? '')
  try {
    return Date.now() - (await stat(path)).mtimeMs > strangerMs
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false
    throw error
  }
}

/** A process id is used again sooner or later; together with the start of the process it is not. */
function isAlive(pid: number, start: string): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (!hasCode(error, 'EPERM')) return false
  }
  return (startOf(pid) ?? start) === start
}

/** When a process started, in ticks since the machine did; unknown where there is no `/proc`. */
function startOf(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is the program's name in parentheses and may hold spaces; the start is the 22nd.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}
