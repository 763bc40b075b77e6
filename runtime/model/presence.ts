import { utimes } from 'node:fs/promises'
import { withFileLock } from './file-lock.ts'
import { Lease } from './lease.ts'
import { hasCode } from './storage-error.ts'
import { exists, type StoreFolder } from './store-folder.ts'
import { isUnpacked } from './unpacked-folder.ts'

/** How often a use is noted at most. */
const touchMs = 60_000
/** Of so many at most it is known when they were touched; then all are forgotten, and touched once more. */
const mostTouched = 4_096

/** Which artifacts are in a store, asked for by those who need them: what is there stays there for a while. */
export interface Presence {
  /** Holds these artifacts, and no others any more, until the next call or the end of the process. */
  hold(digests: Iterable<string>): Promise<void>
  /** Holds an artifact for ten minutes at least, be it in the store or about to come. */
  claim(digest: string): Promise<void>
  /** Whether an artifact is in the store; it is held for ten minutes at least, and counts as used now. */
  findArtifact(digest: string): Promise<boolean>
  /** The same of its unpacked folder, which is as good as the artifact itself. */
  findUnpacked(digest: string): Promise<boolean>
}

/**
 * Makes the presence of this process in a store. Modification times say when something was used last, to a minute.
 */
export function createPresence(folder: StoreFolder): Presence {
  const lease = new Lease(folder.leases, folder.staging)
  const touchedAtMs = new Map<string, number>()

  const touch = async (path: string): Promise<void> => {
    const nowMs = Date.now()
    if (nowMs - (touchedAtMs.get(path) ?? 0) < touchMs) return
    if (touchedAtMs.size >= mostTouched) touchedAtMs.clear()
    touchedAtMs.set(path, nowMs)
    await utimes(path, nowMs / 1000, nowMs / 1000).catch((error: unknown) => {
      if (!hasCode(error, 'ENOENT')) throw error
    })
  }

  const settling = new Map<string, Promise<void>>()
  const settle = async (digest: string): Promise<void> => {
    if (await lease.claim(digest)) return
    // Who prunes just now may not have seen the claim: what it was about to remove is then gone, or put back.
    await withFileLock(folder.pruneLock, async () => undefined)
  }
  /** Holds an artifact, so that nobody who prunes touches it any more. All who come meanwhile wait for the same. */
  const claim = (digest: string): Promise<void> => {
    const settled = settling.get(digest) ?? settle(digest).finally(() => settling.delete(digest))
    settling.set(digest, settled)
    return settled
  }

  return Object.freeze({
    hold: (digests: Iterable<string>) => lease.hold(digests),
    claim,
    async findArtifact(digest: string) {
      const path = folder.artifactPath(digest)
      await claim(digest)
      if (!(await exists(path))) return false
      await touch(path)
      return true
    },
    async findUnpacked(digest: string) {
      const path = folder.unpackedPath(digest)
      await claim(digest)
      if (!(await isUnpacked(folder, digest))) return false
      await touch(path)
      await touch(folder.artifactPath(digest))
      return true
    },
  })
}
