import { rm } from 'node:fs/promises'
import type { S3Options } from 'bun'
import { type ArchiveLimits, archiveLimits } from '../archive/limits.ts'
import { IsoplexError } from '../error/error.ts'
import type { OutboundPolicy } from '../network/policy.ts'
import { assertUnpackable, unpackArtifact } from './artifact-files.ts'
import { openArtifactSource } from './artifact-source.ts'
import type { Artifact } from './backend.ts'
import { createArtifactHash } from './checksum.ts'
import { type DownloadPatience, downloadPatience } from './download.ts'
import { type DownloaderOptions, type DownloadOrder, fetchArtifact } from './downloader.ts'
import { writeDurably } from './durable-file.ts'
import { withFileLock } from './file-lock.ts'
import { Lease } from './lease.ts'
import { readOrigin, toOriginKey, writeOrigin } from './origin-index.ts'
import { countProgress, observe, type ProgressOptions } from './progress.ts'
import { type PruneOptions, type PruneResult, pruneStore } from './prune.ts'
import { isS3Url } from './s3-location.ts'
import { toStorageError } from './storage-error.ts'
import { exists, openStoreFolder, type StoreFolder } from './store-folder.ts'
import { createTransferList, type Transfer } from './transfer.ts'
import { createTurns } from './turns.ts'
import { UseClock } from './use-clock.ts'
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
  keep(): Promise<ReadonlySet<string>>
}

/** An artifact by its content. */
export interface StoredArtifact {
  /** The SHA-256 of its bytes, in lower-case hexadecimal. */
  readonly digest: string
  readonly sizeBytes: number
}

/** An artifact that is whole and checked, but not yet in the store. One of the two is to be called. */
export interface StagedArtifact extends StoredArtifact {
  /** Puts it into the store, in the place of the same one that may be there. */
  commit(): Promise<void>
  discard(): Promise<void>
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
  readonly #lease: Lease
  readonly #clock = new UseClock()
  readonly #transfers = createTransferList()
  readonly #obtaining = new Map<string, Promise<string>>()
  readonly #turns = createTurns<string>()
  readonly #unpacking = new Map<string, Promise<string>>()
  readonly #downloader: DownloaderOptions
  readonly #pruning: StorePruning | undefined

  /** Use {@link openArtifactStore}. */
  constructor(folder: StoreFolder, options: ArtifactStoreOptions) {
    this.#folder = folder
    this.#lease = new Lease(folder.leases, folder.staging)
    this.#pruning = options.pruning
    this.#downloader = {
      folder,
      transfers: this.#transfers,
      limits: options.limits ?? archiveLimits,
      policy: options.policy ?? { origins: [], hosts: [] },
      buckets: options.buckets ?? [],
      s3: options.s3 ?? {},
      maxBytes: options.maxArtifactBytes ?? defaultMaxArtifactBytes,
      patience: { ...downloadPatience, ...options.patience },
    }
  }

  /**
   * Takes a file as it is, or a folder as a stored zip archive, into the store. The digest is that of the bytes
   * as they were written.
   *
   * @throws {IsoplexError} `INPUT_INVALID` where there is nothing to take, `ARTIFACT_BROKEN` where it is an
   * archive that would not be unpacked, `STORAGE_FULL`.
   */
  async put(path: string, options: ProgressOptions = {}): Promise<StoredArtifact> {
    const { commit, digest, sizeBytes } = await this.stage(path, options)
    await commit()
    return Object.freeze({ digest, sizeBytes })
  }
