import type { S3Options } from 'bun'
import type { ArchiveLimits } from '../archive/limits.ts'
import { IsoplexError, isIsoplexError } from '../error/error.ts'
import type { OutboundPolicy } from '../network/policy.ts'
import { assertUnpackable } from './artifact-files.ts'
import type { Checksum } from './backend.ts'
import { type DownloadPatience, type DownloadTarget, download } from './download.ts'
import { brokenArtifact } from './download-failure.ts'
import type { OriginEntry } from './origin-index.ts'
import { openPartialFile, type PartialFile, type WholeFile } from './partial-file.ts'
import type { ProgressOptions } from './progress.ts'
import type { Validators } from './reply-range.ts'
import { isS3Url, locateS3, parseS3Url } from './s3-location.ts'
import type { StoreFolder } from './store-folder.ts'
import type { TransferList } from './transfer.ts'

/** From where artifacts may come, and what they may cost. */
export interface DownloaderOptions {
  readonly folder: StoreFolder
  readonly transfers: TransferList
  readonly limits: ArchiveLimits
  /** Which servers may be asked. */
  readonly policy: OutboundPolicy
  /** Which S3 buckets may be read from where a backend says so. */
  readonly buckets: readonly string[]
  readonly s3: S3Options
  readonly maxBytes: number
  readonly patience: DownloadPatience
}

/** What to download. */
export interface DownloadOrder {
  /** The key of the origin: its partial file has this name. */
  readonly key: string
  readonly origin: string
  readonly url: string
  readonly checksum: Checksum | null
  /** What is in the store from this origin; `null` for nothing. */
  readonly known: OriginEntry | null
  /** Whether the operator asked for it, and not a backend: then it may come from any bucket. */
  readonly byOperator: boolean
}

/** A file that was downloaded and checked, aside; it is to be moved or removed. */
export interface DownloadedFile {
  readonly path: string
  readonly digest: string
  readonly sizeBytes: number
  readonly validators: Validators
}

/**
 * Downloads what is ordered; `null` where what is in the store is still the same. The caller must hold the lock of
 * the origin.
 *
 * @throws {IsoplexError} as `ArtifactStore.obtain`
 */
export async function fetchArtifact(
  options: DownloaderOptions,
  order: DownloadOrder,
  progress: ProgressOptions,
): Promise<DownloadedFile | null> {
  const { folder, transfers } = options
  const locate = locatorOf(options, order)
  const path = folder.partialPath(order.key)
  return transfers.during({ origin: order.origin, kind: 'download' }, progress, async (tell) => {
    const { maxBytes, patience } = options
    const partial = await openPartialFile(path, folder.staging, order.checksum)
    try {
      const result = await download({ partial, locate, known: order.known, maxBytes, patience, tell })
      if (result.kind === 'unchanged') return null
      return { ...(await finish(partial, order, options)), validators: result.validators }
    } catch (error) {
      // Nothing of it will ever be continued.
      if (isIsoplexError(error) && error.code === 'ARTIFACT_BROKEN') await partial.drop()
      throw error
    } finally {
      await partial.close()
    }
  })
}

/** Moves a whole file aside and checks it; one that is refused is gone. */
async function finish(
  partial: PartialFile,
  { checksum }: DownloadOrder,
  { folder, limits }: DownloaderOptions,
): Promise<Omit<DownloadedFile, 'validators'>> {
  let whole: WholeFile | undefined
  const path = await folder.staging.make(async (place) => {
    whole = await partial.finish(place)
    if (whole.sizeBytes === 0)
      throw brokenArtifact('empty', 'The artifact is empty; add it again at its source.')
    if (checksum !== null && !whole.matches(checksum)) throw mismatch(checksum)
    await assertUnpackable(place, limits)
  })
  if (whole === undefined) throw new Error('Staging made a file without doing the work.')
  return { path, digest: whole.digest, sizeBytes: whole.sizeBytes }
}

/** Where each try finds the bytes; S3 links are signed anew for each. */
function locatorOf(
  { policy, buckets, s3 }: DownloaderOptions,
  { url, byOperator }: DownloadOrder,
): () => DownloadTarget {
  if (!isS3Url(url)) return () => ({ url, policy })
  const location = parseS3Url(url)
  if (byOperator || buckets.includes(location.bucket)) return () => locateS3(location, s3)
  throw new IsoplexError(
    'URL_REFUSED',
    `The bucket "${location.bucket}" is not allowed; add "s3://${location.bucket}" to "artifactHosts".`,
    { details: { reason: 'host' } },
  )
}

function mismatch({ algorithm }: Checksum): Error {
  return brokenArtifact(
    'checksum',
    `The artifact is not the one that its backend describes: the ${algorithm} checksum differs. Add it there again.`,
  )
}
