import { readdir, readFile } from 'node:fs/promises'

/** What is read of `/proc/PID/stat`. */
interface ProcessStat {
  readonly pid: number
  readonly parent: number
  readonly microseconds: number
}

/** Clock ticks a second in `/proc/PID/stat`: Linux keeps it at 100 on all its platforms (time(7)). */
const ticksPerSecond = 100

/**
 * The processor time that a process and all below it have taken so far, user and system, in microseconds; that of
 * children which have ended counts with their parent. `null` where there is no `/proc`.
 */
export async function treeMicroseconds(root: number): Promise<number | null> {
  if (process.platform !== 'linux') return null
  const pids = (await readdir('/proc')).map(Number).filter(Number.isInteger)
  const stats = (await Promise.all(pids.map(readStat))).filter((stat) => stat !== null)
  const childrenOf = Map.groupBy(stats, ({ parent }) => parent)
  const below = (pid: number): number =>
    (childrenOf.get(pid) ?? []).reduce((sum, child) => sum + child.microseconds + below(child.pid), 0)
  const own = stats.find(({ pid }) => pid === root)?.microseconds ?? 0
  return own + below(root)
}

/** `null` where the process has ended meanwhile. */
async function readStat(pid: number): Promise<ProcessStat | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => null)
  if (text === null) return null
  // The name, in brackets, may hold spaces and brackets: what follows the last one begins with field 3 (proc(5)).
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const field = (number: number): number => Number(fields[number - 3])
  const ticks = field(14) + field(15) + field(16) + field(17)
  return { pid, parent: field(4), microseconds: (ticks / ticksPerSecond) * 1e6 }
}
