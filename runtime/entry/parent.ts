import { dlopen } from 'bun:ffi'

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
  if (process.platform === 'linux') requestKillAtParentDeath()
  // Where the parent has died before the kernel was asked, the kernel will say nothing.
  if (process.ppid !== parent) exit(0)
}

function requestKillAtParentDeath(): void {
  // glibc under its own name; musl, which is its own loader, by its path.
  const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64'
  for (const library of ['libc.so.6', `/lib/ld-musl-${machine}.so.1`]) {
    try {
      const { symbols } = dlopen(library, {
        prctl: { args: ['i32', 'u64', 'u64', 'u64', 'u64'], returns: 'i32' },
      })
      symbols.prctl(setParentDeathSignal, killSignal, 0n, 0n, 0n)
      return
    } catch {
      // Not this C library. Without either, the channel's end is what remains.
    }
  }
}
