import { assertUnpackable } from './artifact-files.ts'
import { openArtifactSource } from './artifact-source.ts'
import { createArtifactHash } from './checksum.ts'
import { brokenArtifact } from './download-failure.ts'
import { type DownloaderOptions, fetchArtifact } from './downloader.ts'
import { writeDurably } from './durable-file.ts'
import { withFileLock } from './file-lock.ts'
import { toOriginKey } from './origin-index.ts'
import { countProgress, observe, type ProgressOptions } from './progress.ts'

/** A file that is whole and checked, aside; it is to be moved or removed. */
export interface StagedFile {
  readonly path: string
  readonly digest: string
  readonly sizeBytes: number
}

/**
 * Makes a staged file of a file, which is taken as it is, or of a folder, which is packed.
 *
 * @throws {IsoplexError} `INPUT_INVALID`, `ARTIFACT_BROKEN`
 */
export async function stagePath(
  { folder, limits }: DownloaderOptions,
  source: string,
  options: ProgressOptions,
): Promise<StagedFile> {
  const { totalBytes, read } = await openArtifactSource(source)
  const count = countProgress(totalBytes, options)
  const hash = createArtifactHash(null)
  let sizeBytes = 0
  const chunks = observe(read(), (chunk) => {
    hash.update(chunk)
    sizeBytes += chunk.length
    count(chunk)
  })
  const path = await folder.staging.make(async (place) => {
    await writeDurably(place, chunks)
    await assertUnpackable(place, limits)
  })
  return { path, digest: hash.finish().digest, sizeBytes }
}

/**
 * Makes a staged file of an object of S3, which the operator has named. What was downloaded of it before and broken
 * off is continued.
 *
 * @throws {IsoplexError} as `ArtifactStore.obtain`
 */
export async function stageObject(
  downloader: DownloaderOptions,
  url: string,
  options: ProgressOptions,
): Promise<StagedFile> {
  const key = toOriginKey('operator', url)
  const order = { key, origin: url, url, checksum: null, known: null, byOperator: true }
  const file = await withFileLock(downloader.folder.downloadLock(key), () =>
    fetchArtifact(downloader, order, options),
  )
  if (file === null) throw brokenArtifact('missing', `The server has nothing of ${JSON.stringify(url)}.`)
  return file
}
