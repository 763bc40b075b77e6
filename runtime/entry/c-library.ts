import { dlopen } from 'bun:ffi'

/** What processes ask of the system that Bun has no words for; see the manual pages of that name. */
export interface CLibrary {
  prctl(option: number, first: bigint, second: bigint, third: bigint, fourth: bigint): number
  setpgid(pid: number, group: number): number
  signal(number: number, handler: number): unknown
}

// glibc under its own name; musl, which is its own loader, by its path.
const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64'
const names = ['libc.so.6', `/lib/ld-musl-${machine}.so.1`]

/** Opens the C library of a Linux machine; `null` elsewhere, and where it has another name. */
export function openCLibrary(): CLibrary | null {
  if (process.platform !== 'linux') return null
  for (const name of names) {
    try {
      const { symbols } = dlopen(name, {
        prctl: { args: ['i32', 'u64', 'u64', 'u64', 'u64'], returns: 'i32' },
        setpgid: { args: ['i32', 'i32'], returns: 'i32' },
        signal: { args: ['i32', 'usize'], returns: 'usize' },
      })
      return symbols
    } catch {
      // Not this C library.
    }
  }
  return null
}
