import { readFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { hasCode } from './storage-error.ts'

/** How long a stranger's leftover lies untouched before it counts as left behind. */
const strangerMs = 86_400_000

/**
 * Makes a file name that says whose it is: process, its start, a part that no other name has, and machine. Whoever
 * shares the folder can tell by {@link isLeftBehind} whether that process is still there.
 */
export function createProcessMark(): string {
  return [process.pid, startOf(process.pid) ?? '', crypto.randomUUID(), hostname()].join('.')
}

/**
 * Whether what bears a mark belongs to nobody any more: its process is dead; or it is of another machine, and has
 * not been touched for a day.
 */
export async function isLeftBehind(path: string, mark: string): Promise<boolean> {
  const [pid, start, , ...host] = mark.split('.')
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
