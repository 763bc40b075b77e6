/** Clock ticks a second of `/proc/PID/stat`, which Linux keeps the same on all its platforms (proc(5), time(7)). */
const ticksPerSecond = 100

/** The processor time that a process has taken so far, user and system, all its threads, in microseconds. */
export async function processMicroseconds(pid: number): Promise<number> {
  const text = await Bun.file(`/proc/${pid}/stat`).text()
  // The name, in brackets, may hold spaces: what follows it begins with field 3; utime and stime are 14 and 15.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[11]) + Number(fields[12])) / ticksPerSecond) * 1e6
}
