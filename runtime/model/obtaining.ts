import type { Artifact, Checksum } from './backend.ts'
import { brokenArtifact } from './download-failure.ts'
import { type DownloaderOptions, fetchArtifact } from './downloader.ts'
import { withFileLock } from './file-lock.ts'
import { type OriginEntry, readOrigin, toOriginKey, writeOrigin } from './origin-index.ts'
import type { Presence } from './presence.ts'
import type { ProgressOptions } from './progress.ts'
import { createTurns } from './turns.ts'

/** What obtaining needs of a store. */
export interface ObtainerOptions {
  readonly presence: Presence
  readonly downloader: DownloaderOptions
  /** Is called after each download that brought something new. */
  downloaded(): Promise<void>
}

/** Gives the digest of an artifact that is in the store by then. */
export type Obtain = (artifact: Artifact, origin: string, progress: ProgressOptions) => Promise<string>

interface Errand {
  readonly key: string
  readonly url: string
  readonly origin: string
  readonly stamp: string
  readonly checksum: Checksum | null
}

/**
 * Makes what brings artifacts into a store. However many ask for one at once, in however many processes, it is
 * downloaded once; and who knows of a newer stamp than the download that goes on waits for the next.
 */
export function createObtainer(options: ObtainerOptions): Obtain {
  const { presence } = options
  const turns = createTurns<string>()
  const running = new Map<string, Promise<string>>()

  return async (artifact, origin, progress) => {
    const checksum = checksumOf(artifact)
    const named = checksum?.algorithm === 'sha256' ? checksum.value : null
    if (named !== null && (await presence.findArtifact(named))) return named
    const { url, stamp } = artifact
    if (url === null)
      throw brokenArtifact('missing', 'The artifact is not in the store; add its model again.')
    const key = toOriginKey(origin, url)
    const line = `${key} ${checksum?.value ?? ''}`
    const same = running.get(`${line} ${stamp}`)
    if (same !== undefined) return same
    const errand = { key, url, origin, stamp, checksum }
    const obtaining = turns
      .take(line, () => obtain(errand, options, progress))
      .finally(() => running.delete(`${line} ${stamp}`))
    running.set(`${line} ${stamp}`, obtaining)
    return obtaining
  }
}

/** A digest that is known is a checksum like any other. */
function checksumOf({ digest, checksum }: Artifact): Checksum | null {
  return digest === null ? checksum : { algorithm: 'sha256', value: digest }
}

async function obtain(errand: Errand, options: ObtainerOptions, progress: ProgressOptions): Promise<string> {
  const before = await findKnown(errand, options)
  if (before?.stamps.includes(errand.stamp)) return before.digest
  const { folder } = options.downloader
  const { digest, isNew } = await withFileLock(folder.downloadLock(errand.key), async () => {
    // Somebody else may have brought it while the lock was waited for.
    const known = await findKnown(errand, options)
    if (known?.stamps.includes(errand.stamp)) return { digest: known.digest, isNew: false }
    return bring(errand, known, options, progress)
  })
  if (isNew) await options.downloaded()
  return digest
}

async function findKnown(
  { key, checksum }: Errand,
  { presence, downloader }: ObtainerOptions,
): Promise<OriginEntry | null> {
  const entry = await readOrigin(downloader.folder, key, checksum)
  return entry !== null && (await presence.findArtifact(entry.digest)) ? entry : null
}

async function bring(
  errand: Errand,
  known: OriginEntry | null,
  { presence, downloader }: ObtainerOptions,
  progress: ProgressOptions,
): Promise<{ readonly digest: string; readonly isNew: boolean }> {
  const { folder } = downloader
  const { key, stamp, checksum } = errand
  const file = await fetchArtifact(downloader, { ...errand, known, byOperator: false }, progress)
  if (file === null) {
    if (known === null) throw new Error('Nothing was known, and yet it was found unchanged.')
    await writeOrigin(folder, key, { ...known, stamp })
    return { digest: known.digest, isNew: false }
  }
  const { path, digest, validators } = file
  await presence.claim(digest)
  await folder.staging.place(path, folder.artifactPath(digest))
  await writeOrigin(folder, key, { digest, stamp, checksum, ...validators })
  return { digest, isNew: true }
}
