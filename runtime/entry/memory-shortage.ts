import { writeFileSync } from 'node:fs'

/** When memory runs out, the kernel is to end this process, which is replaced or gone on with, and not the gateway. */
export function volunteerForMemoryShortage(): void {
  if (process.platform !== 'linux') return
  try {
    writeFileSync('/proc/self/oom_score_adj', '500')
  } catch {
    // A container may forbid it; the kernel then chooses by size.
  }
}
