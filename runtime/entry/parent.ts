import { openCLibrary } from './c-library.ts'

const setParentDeathSignal = 1
const killSignal = 9n

/**
 * Makes this process end when the one that started it ends, in whatever way that happens: at once on Linux,
 * even in the middle of a loop; elsewhere as soon as the event loop turns and the closed channel is seen.
 *
 * Call it first thing, before any code that may not end. The process must have been started with a channel
 * (`ipc`), from a thread that lives as long as the parent. `parent` is the parent's process id where the
 * parent told it; without it, a parent that died before this call is noticed by the channel only.
 */
export function exitWithParent(parent: number = process.ppid): void {
  const exit = process.exit.bind(process)
  process.on('disconnect', () => exit(0))
  // Without it, the channel's end is what remains.
  openCLibrary()?.prctl(setParentDeathSignal, killSignal, 0n, 0n, 0n)
  // Where the parent has died before the kernel was asked, the kernel will say nothing.
  if (process.ppid !== parent) exit(0)
}

/**
 * The same for a process that was started without a channel, by whoever holds the other end of its standard input open
 * for as long as it lives.
 */
export function exitWithInput(): void {
  const exit = process.exit.bind(process)
  process.stdin.on('end', () => exit(0)).on('error', () => exit(0))
  process.stdin.resume()
  // To listen for the end of somebody else is no reason to go on.
  process.stdin.unref()
  openCLibrary()?.prctl(setParentDeathSignal, killSignal, 0n, 0n, 0n)
}
