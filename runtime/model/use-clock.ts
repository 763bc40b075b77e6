import { utimes } from 'node:fs/promises'
import { hasCode } from './storage-error.ts'

const touchMs = 60_000

/** Remembers when artifacts were used last: the modification times of their files say so, to a minute. */
export class UseClock {
  readonly #touchedAtMs = new Map<string, number>()

  /** Notes a use of a file or folder, which need not be there. */
  async touch(path: string): Promise<void> {
    const nowMs = Date.now()
    if (nowMs - (this.#touchedAtMs.get(path) ?? 0) < touchMs) return
    this.#touchedAtMs.set(path, nowMs)
    await utimes(path, nowMs / 1000, nowMs / 1000).catch((error: unknown) => {
      if (!hasCode(error, 'ENOENT')) throw error
    })
  }
}
