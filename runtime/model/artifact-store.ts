import { readdir, rm } from 'node:fs/promises'
import type { S3Options } from 'bun'
import { type ArchiveLimits, archiveLimits } from '../archive/limits.ts'
import type { OutboundPolicy } from '../network/policy.ts'
import { unpackArtifact } from './artifact-files.ts'
import type { Artifact } from './backend.ts'
import { type DownloadPatience, downloadPatience } from './download.ts'
import { brokenArtifact } from './download-failure.ts'
import type { DownloaderOptions } from './downloader.ts'
import { withFileLock } from './file-lock.ts'
import { createObtainer, type Obtain } from './obtaining.ts'
import { createPresence, type Presence } from './presence.ts'
import type { Progress, ProgressOptions } from './progress.ts'
import { type PruneOptions, type PruneResult, pruneStore } from './prune.ts'
import { isS3Url } from './s3-location.ts'
import { stageObject, stagePath } from './staged-file.ts'
import { toStorageError } from './storage-error.ts'
import { exists, isDigest, openStoreFolder, type StoreFolder } from './store-folder.ts'
import type { ArtifactFile, StagedArtifact, StoredArtifact } from './stored-artifact.ts'
import { createTransferList, type Transfer } from './transfer.ts'
import { adoptUnpacked } from './unpacked-folder.ts'
import { type BrokenArtifact, verifyStore } from './verify.ts'

/** Where a store lies, what it takes, and from where. */
export interface ArtifactStoreOptions {
  /** The folder of the store; it is made where it is missing, for its owner only. */
  readonly directory: string
  /** What an archive may cost. @default archiveLimits */
  readonly limits?: ArchiveLimits
  /** Which servers artifacts may be downloaded from. @default none */
  readonly policy?: OutboundPolicy
  /** Which S3 buckets a backend may send to. @default none */
  readonly buckets?: readonly string[]
  /** Endpoint and credentials of S3. @default those of the environment */
  readonly s3?: S3Options
  /** Largest artifact that is downloaded. @default 17179869184 */
  readonly maxArtifactBytes?: number
  /** How patient downloads are. @default downloadPatience */
  readonly patience?: Partial<DownloadPatience>
  /** What is pruned after each download. @default nothing */
  readonly pruning?: StorePruning
}

/** How a store is kept small. */
export interface StorePruning {
  /** Bytes of downloaded and unpacked artifacts that may stay. */
  readonly maxBytes: number
  /** Gives the artifacts that cannot be downloaded again, and so have to stay. */
  readonly keep: () => Promise<ReadonlySet<string>>
  /** Hears of a pruning that has failed; the download is there all the same. */
  readonly failed: (error: unknown) => void
}

/** How an artifact is unpacked. */
export interface UnpackOptions extends ProgressOptions {
  /** By what name it is shown meanwhile. @default its digest */
  readonly origin?: string
}

/** What becomes of broken artifacts. */
export interface VerifyOptions {
  /** @default false */
  readonly remove?: boolean
}

const defaultMaxArtifactBytes = 17_179_869_184

/**
 * Opens the store of a host: artifacts by the digest of their content, and their unpacked folders. Any number of
 * processes may have it open. Nothing is ever seen half-written: whatever is made is made aside and moved into
 * place whole, and what dead processes left aside is swept out here. What they had downloaded of an artifact stays,
 * to be continued.
 *
 * @throws {IsoplexError} `STORAGE_FULL`
 */
export async function openArtifactStore(options: ArtifactStoreOptions): Promise<ArtifactStore> {
  try {
    const folder = await openStoreFolder(options)
    await sweepUnpacked(folder)
    return new ArtifactStore(folder, options)
  } catch (error) {
    throw toStorageError(error)
  }
}

/** The artifacts of a host. Made by {@link openArtifactStore}; it holds nothing open. */
export class ArtifactStore {
  readonly #folder: StoreFolder
  readonly #presence: Presence
  readonly #downloader: DownloaderOptions
  readonly #obtain: Obtain
  readonly #pruning: StorePruning | undefined
  readonly #unpacking = new Map<string, Promise<string>>()

  /** Use {@link openArtifactStore}. */
  constructor(folder: StoreFolder, options: ArtifactStoreOptions) {
    this.#folder = folder
    this.#presence = createPresence(folder)
    this.#pruning = options.pruning
    this.#downloader = downloaderOf(folder, options)
    this.#obtain = createObtainer({
      presence: this.#presence,
      downloader: this.#downloader,
      downloaded: () => this.#pruneAfterDownload(),
    })
  }

  /**
   * Takes a file as it is, a folder as a stored zip archive, or an object of S3 (`s3://bucket/key`) into the store.
   * The digest is that of the bytes as they were written.
   *
   * @throws {IsoplexError} `INPUT_INVALID` where there is nothing to take, `ARTIFACT_BROKEN` where it is an
   * archive that would not be unpacked, `STORAGE_FULL`; of S3 as {@link obtain}.
   */
  async put(source: string, options: ProgressOptions = {}): Promise<StoredArtifact> {
    const { commit, digest, sizeBytes } = await this.stage(source, options)
    await commit()
    return Object.freeze({ digest, sizeBytes })
  }

  /**
   * Does all the long work of {@link put}, so that committing is quick and can be part of a transaction.
   *
   * @throws {IsoplexError} as {@link put}
   */
  async stage(source: string, options: ProgressOptions = {}): Promise<StagedArtifact> {
    const stage = isS3Url(source) ? stageObject : stagePath
    const { path, digest, sizeBytes } = await storing(() => stage(this.#downloader, source, options))
    return Object.freeze({
      digest,
      sizeBytes,
      commit: () =>
        storing(async () => {
          await this.#presence.claim(digest)
          await this.#folder.staging.adopt(path, this.#folder.artifactPath(digest))
        }),
      discard: () => rm(path, { force: true }),
    })
  }

  /**
   * Has an artifact in the store, and gives its digest. It is downloaded only where neither its digest, nor its
   * checksum, nor its origin and stamp tell that it is here, and where the server does not say that it is still the
   * same. A download that was broken off goes on where it was, be it in another process. No credentials go along.
   *
   * What is given back stays in the store for ten minutes at least.
   *
   * @param origin by what name the artifact is known, such as backend and model; it is shown while it is downloaded
   * @throws {IsoplexError} `ARTIFACT_BROKEN` with a reason: `missing` where there is no URL, `not-found`, `empty`,
   * `too-large`, `checksum`, or one of an archive. `URL_REFUSED`, `FETCH_FAILED`, `STORAGE_FULL`; `CONFIG_INVALID`
   * where it is in S3 and there are no credentials.
   */
  obtain(artifact: Artifact, origin: string, options: ProgressOptions = {}): Promise<string> {
    return storing(() => this.#obtain(artifact, origin, options))
  }

  /** Tells where an artifact lies, and keeps it there for ten minutes at least; `null` where it is not in the store. */
  locate(digest: string): Promise<ArtifactFile | null> {
    return storing(async () => {
      if (!(await this.#presence.findArtifact(digest))) return null
      const path = this.#folder.artifactPath(digest)
      return Object.freeze({ digest, path, sizeBytes: Bun.file(path).size })
    })
  }

  /**
   * Unpacks an artifact, if nobody has yet, and gives the absolute path of its folder: the files of a zip archive,
   * or a lone model as `model.onnx`. However many ask, in however many processes, there is one folder; in this
   * process there is one unpacking, and its progress is told to who asked first. The folder stays for ten minutes at
   * least, and as long as it is held.
   *
   * @throws {IsoplexError} `ARTIFACT_BROKEN` with the reason, `STORAGE_FULL`.
   */
  unpack(digest: string, options: UnpackOptions = {}): Promise<string> {
    const running = this.#unpacking.get(digest)
    if (running !== undefined) return running
    const unpacking = this.#unpack(digest, options).finally(() => this.#unpacking.delete(digest))
    this.#unpacking.set(digest, unpacking)
    return unpacking
  }

  /** The downloads and unpackings that go on in this process. */
  transfers(): readonly Transfer[] {
    return this.#downloader.transfers.list()
  }

  /** Keeps these artifacts from being pruned, and no others any more, until the next call or this process's end. */
  hold(digests: Iterable<string>): Promise<void> {
    return storing(() => this.#presence.hold(digests))
  }

  /** Removes what was used longest ago and nobody holds, until no more than `maxBytes` are left. */
  prune(options: PruneOptions): Promise<PruneResult> {
    return storing(() => pruneStore(this.#folder, options))
  }

  /**
   * Reads all that is in the store and lists what is not as it was put there. With `remove` it is removed: a
   * download comes anew when it is asked for, what was added by hand has to be added again.
   */
  async verify({ remove = false }: VerifyOptions = {}): Promise<readonly BrokenArtifact[]> {
    const broken = await verifyStore(this.#folder, this.#downloader.limits)
    for (const { digest, part } of remove ? broken : []) {
      if (part === 'artifact') await this.remove(digest)
      else await this.#folder.staging.remove(this.#folder.unpackedPath(digest))
    }
    return broken
  }

  /**
   * Removes an artifact and its unpacked folder; what is not there is no error. Whoever has its files open keeps
   * them on Linux and macOS until they are closed; whoever opens them by path from now on finds nothing.
   */
  async remove(digest: string): Promise<void> {
    await this.#unpacking.get(digest)?.catch(() => undefined)
    await this.#folder.staging.remove(this.#folder.artifactPath(digest))
    await this.#folder.staging.remove(this.#folder.unpackedPath(digest))
    await rm(this.#folder.unpackedMark(digest), { force: true })
  }

  async #unpack(digest: string, options: UnpackOptions): Promise<string> {
    const { staging, artifactPath, unpackedPath } = this.#folder
    const folder = unpackedPath(digest)
    const { limits, transfers } = this.#downloader
    const { origin = digest } = options
    await storing(async () => {
      if (await this.#presence.findUnpacked(digest)) return
      if (!(await this.#presence.findArtifact(digest))) throw missingArtifact(digest)
      await transfers.during({ origin, kind: 'unpack' }, options, async (tell) => {
        const onProgress = ({ doneBytes, totalBytes }: Progress): void => tell(doneBytes, totalBytes)
        const unpack = (place: string): Promise<void> =>
          unpackArtifact(artifactPath(digest), place, { limits, onProgress })
        await adoptUnpacked(this.#folder, digest, await staging.make(unpack))
      })
    })
    return folder
  }

  async #pruneAfterDownload(): Promise<void> {
    if (this.#pruning === undefined) return
    const { maxBytes, keep, failed } = this.#pruning
    try {
      await pruneStore(this.#folder, { maxBytes, keep: await keep() })
    } catch (error) {
      failed(error)
    }
  }
}

function downloaderOf(folder: StoreFolder, options: ArtifactStoreOptions): DownloaderOptions {
  return {
    folder,
    transfers: createTransferList(),
    limits: options.limits ?? archiveLimits,
    policy: options.policy ?? { origins: [], hosts: [] },
    buckets: options.buckets ?? [],
    s3: options.s3 ?? {},
    maxBytes: options.maxArtifactBytes ?? defaultMaxArtifactBytes,
    patience: { ...downloadPatience, ...options.patience },
  }
}

/**
 * Removes the unpacked folders of artifacts that are gone, as a crash in the middle of a removal leaves them. Who
 * prunes may have an artifact aside that will be put back; so nobody may prune meanwhile.
 */
async function sweepUnpacked(folder: StoreFolder): Promise<void> {
  const { staging, unpacked, marks, artifactPath, unpackedPath, unpackedMark, pruneLock } = folder
  const isGone = async (digest: string): Promise<boolean> =>
    isDigest(digest) && !(await exists(artifactPath(digest)))
  await withFileLock(pruneLock, async () => {
    for (const digest of await readdir(unpacked)) {
      if (await isGone(digest)) await staging.remove(unpackedPath(digest))
    }
    for (const digest of await readdir(marks)) {
      if (await isGone(digest)) await rm(unpackedMark(digest), { force: true })
    }
  })
}

async function storing<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw toStorageError(error)
  }
}

function missingArtifact(digest: string): Error {
  return brokenArtifact(
    'missing',
    `The artifact ${digest} is not in the store any more; add its model again.`,
  )
}
