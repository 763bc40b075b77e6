import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { withFileLock } from './file-lock.ts'
import { readLeases } from './lease.ts'
import { sweepOrigins } from './origin-index.ts'
import { isPartialFacts, removePartialFile } from './partial-file.ts'
import { hasCode } from './storage-error.ts'
import { isDigest, type StoreFolder } from './store-folder.ts'

/** What a pruning is to leave. */
export interface PruneOptions {
  /** Bytes of downloaded and unpacked artifacts that may stay. */
  readonly maxBytes: number
  /** Artifacts that cannot be downloaded again: they stay. Their unpacked folders are pruned like any other. */
  readonly keep: ReadonlySet<string>
}

/** What a pruning has done. */
export interface PruneResult {
  /** The digests of the artifacts that are gone. */
  readonly removed: readonly string[]
  readonly freedBytes: number
  /** Bytes of downloaded and unpacked artifacts that are still there; more than asked for where they are in use. */
  readonly leftBytes: number
}

interface PrunablePart {
  readonly digest: string
  readonly kind: 'artifact' | 'unpacked'
  readonly path: string
  readonly sizeBytes: number
  readonly usedAtMs: number
}

/** After this time nobody comes back to a download that was broken off. */
const abandonedMs = 86_400_000

/**
 * Removes the artifacts that were used longest ago, until no more than `maxBytes` are left. What a living process
 * holds stays. One process prunes at a time, and whoever needs an artifact at the same moment either finds it or
 * finds it gone, and never half of it.
 */
export async function pruneStore(folder: StoreFolder, options: PruneOptions): Promise<PruneResult> {
  await sweepAbandoned(folder)
  return withFileLock(folder.pruneLock, async () => {
    const parts = await listParts(folder, options.keep)
    const removed: string[] = []
    let leftBytes = parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    const beforeBytes = leftBytes
    for (const { digest, kind, path, sizeBytes } of parts) {
      if (leftBytes <= options.maxBytes) break
      if (!(await removeUnleased(folder, digest, path))) continue
      leftBytes -= sizeBytes
      if (kind === 'artifact') removed.push(digest)
    }
    if (removed.length > 0) await sweepOrigins(folder)
    return Object.freeze({ removed: Object.freeze(removed), freedBytes: beforeBytes - leftBytes, leftBytes })
  })
}

/** All that could be removed, that which was used longest ago first, and folders before their artifacts. */
async function listParts(folder: StoreFolder, keep: ReadonlySet<string>): Promise<readonly PrunablePart[]> {
  const parts: PrunablePart[] = []
  for (const kind of ['unpacked', 'artifact'] as const) {
    const directory = kind === 'unpacked' ? folder.unpacked : folder.artifacts
    for (const digest of (await readdir(directory)).filter(isDigest)) {
      if (kind === 'artifact' && keep.has(digest)) continue
      const part = await toPart(kind, digest, join(directory, digest))
      if (part !== null) parts.push(part)
    }
  }
  const usedAtMs = new Map<string, number>()
  for (const part of parts) {
    usedAtMs.set(part.digest, Math.max(part.usedAtMs, usedAtMs.get(part.digest) ?? 0))
  }
  const lastUse = ({ digest }: PrunablePart): number => usedAtMs.get(digest) ?? 0
  return parts.toSorted((a, b) => lastUse(a) - lastUse(b))
}

async function toPart(
  kind: PrunablePart['kind'],
  digest: string,
  path: string,
): Promise<PrunablePart | null> {
  try {
    const facts = await stat(path)
    const sizeBytes = kind === 'artifact' ? facts.size : await folderBytes(path)
    return { digest, kind, path, sizeBytes, usedAtMs: facts.mtimeMs }
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  }
}

async function folderBytes(path: string): Promise<number> {
  let sumBytes = 0
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) sumBytes += (await stat(join(entry.parentPath, entry.name))).size
  }
  return sumBytes
}

/** Removes what nobody holds. It is moved aside before it is looked for who does, so that no claim is missed. */
async function removeUnleased(folder: StoreFolder, digest: string, path: string): Promise<boolean> {
  if ((await readLeases(folder.leases)).has(digest)) return false
  const aside = await folder.staging.setAside(path)
  if (aside === null) return false
  if ((await readLeases(folder.leases)).has(digest)) {
    await folder.staging.adopt(aside, path)
    return false
  }
  await rm(aside, { recursive: true, force: true })
  return true
}

/** Removes what is left of downloads that nobody has come back to. */
async function sweepAbandoned(folder: StoreFolder): Promise<void> {
  for (const name of await readdir(folder.downloads)) {
    const path = join(folder.downloads, name)
    if (isPartialFacts(name) || !(await isAbandoned(path))) continue
    await withFileLock(folder.downloadLock(name), async () => {
      if (await isAbandoned(path)) await removePartialFile(path)
    })
  }
}

async function isAbandoned(path: string): Promise<boolean> {
  try {
    return Date.now() - (await stat(path)).mtimeMs > abandonedMs
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false
    throw error
  }
}
