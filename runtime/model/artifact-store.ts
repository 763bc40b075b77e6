import { access, mkdir, readdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type ArchiveLimits, archiveLimits } from '../archive/limits.ts'
import { IsoplexError } from '../error/error.ts'
import { assertUnpackable, unpackArtifact } from './artifact-files.ts'
import { openArtifactSource } from './artifact-source.ts'
import type { Artifact } from './backend.ts'
import { writeDurably } from './durable-file.ts'
import { countProgress, observe, type ProgressOptions } from './progress.ts'
import { openStaging, type Staging } from './staging.ts'
import { toStorageError } from './storage-error.ts'

/** Where a store lies and what it takes. */
export interface ArtifactStoreOptions {
  /** The folder of the store; it is made where it is missing, for its owner only. */
  readonly directory: string
  /** What an archive may cost. @default archiveLimits */
  readonly limits?: ArchiveLimits
}

/** An artifact by its content. */
export interface StoredArtifact {
  /** The SHA-256 of its bytes, in lower-case hexadecimal. */
  readonly digest: string
  readonly sizeBytes: number
}

/** An artifact as a file of the store. */
export interface ArtifactFile extends StoredArtifact {
  readonly path: string
}

/** An artifact that is whole and checked, but not yet in the store. One of the two is to be called. */
export interface StagedArtifact extends StoredArtifact {
  /** Puts it into the store, in the place of the same one that may be there. */
  commit(): Promise<void>
  discard(): Promise<void>
}

/**
 * Opens the store of a host: artifacts by the digest of their content, and their unpacked folders. Any number of
 * processes may have it open. Nothing is ever seen half-written: whatever is made is made aside and moved into
 * place whole, and what dead processes left aside is swept out here.
 *
 * @throws {IsoplexError} `STORAGE_FULL`
 */
export async function openArtifactStore(options: ArtifactStoreOptions): Promise<ArtifactStore> {
  const directory = resolve(options.directory)
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    for (const name of ['artifacts', 'unpacked']) await mkdir(join(directory, name), { recursive: true })
    const staging = await openStaging(join(directory, 'staging'))
    await sweepUnpacked(directory, staging)
    return new ArtifactStore(directory, options.limits ?? archiveLimits, staging)
  } catch (error) {
    throw toStorageError(error)
  }
}

/** The artifacts of a host. Made by {@link openArtifactStore}; it holds nothing open. */
export class ArtifactStore {
  readonly #directory: string
  readonly #limits: ArchiveLimits
  readonly #staging: Staging
  readonly #unpacking = new Map<string, Promise<string>>()

  constructor(directory: string, limits: ArchiveLimits, staging: Staging) {
    this.#directory = directory
    this.#limits = limits
    this.#staging = staging
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

  /**
   * Does all the long work of {@link put}, so that committing is quick and can be part of a transaction.
   *
   * @throws {IsoplexError} as {@link put}
   */
  async stage(path: string, options: ProgressOptions = {}): Promise<StagedArtifact> {
    const { totalBytes, read } = await openArtifactSource(path)
    const count = countProgress(totalBytes, options)
    const hash = new Bun.CryptoHasher('sha256')
    let sizeBytes = 0
    const chunks = observe(read(), (chunk) => {
      hash.update(chunk)
      sizeBytes += chunk.length
      count(chunk)
    })
    const made = await this.#write(() =>
      this.#staging.make(async (place) => {
        await writeDurably(place, chunks)
        await assertUnpackable(place, this.#limits)
      }),
    )
    const digest = hash.digest('hex')
    return Object.freeze({
      digest,
      sizeBytes,
      commit: () => this.#write(() => this.#staging.adopt(made, this.#artifactPath(digest))),
      discard: () => rm(made, { force: true }),
    })
  }

  /**
   * Has an artifact in the store, and gives its digest.
   *
   * @throws {IsoplexError} `ARTIFACT_BROKEN` where it is not there.
   */
  async obtain({ digest }: Artifact, _origin: string): Promise<string> {
    if (digest !== null && (await exists(this.#artifactPath(digest)))) return digest
    throw new IsoplexError('ARTIFACT_BROKEN', 'The artifact is not in the store; add its model again.', {
      details: { reason: 'missing' },
    })
  }

  /** Tells where an artifact lies; `null` where it is not in the store. */
  async locate(digest: string): Promise<ArtifactFile | null> {
    const path = this.#artifactPath(digest)
    const file = Bun.file(path)
    return (await file.exists()) ? Object.freeze({ digest, path, sizeBytes: file.size }) : null
  }

  /**
   * Unpacks an artifact, if nobody has yet, and gives the absolute path of its folder: the files of a zip archive,
   * or a lone model as `model.onnx`. However many ask, in however many processes, there is one folder; in this
   * process there is one unpacking, and its progress is told to who asked first.
   *
   * @throws {IsoplexError} `ARTIFACT_BROKEN` with the reason, `STORAGE_FULL`.
   */
  unpack(digest: string, options: ProgressOptions = {}): Promise<string> {
    const running = this.#unpacking.get(digest)
    if (running !== undefined) return running
    const unpacking = this.#unpack(digest, options).finally(() => this.#unpacking.delete(digest))
    this.#unpacking.set(digest, unpacking)
    return unpacking
  }

  /**
   * Removes an artifact and its unpacked folder; what is not there is no error. Whoever has its files open keeps
   * them on Linux and macOS until they are closed; whoever opens them by path from now on finds nothing.
   */
  async remove(digest: string): Promise<void> {
    await this.#unpacking.get(digest)?.catch(() => undefined)
    await this.#staging.remove(this.#artifactPath(digest))
    await this.#staging.remove(this.#unpackedPath(digest))
  }

  async #unpack(digest: string, options: ProgressOptions): Promise<string> {
    const artifact = this.#artifactPath(digest)
    const folder = this.#unpackedPath(digest)
    if (await exists(folder)) return folder
    if (!(await exists(artifact))) {
      throw new IsoplexError(
        'ARTIFACT_BROKEN',
        `The artifact ${digest} is not in the store any more; add its model again.`,
        { details: { reason: 'missing' } },
      )
    }
    await this.#write(async () => {
      const unpackOptions = { ...options, limits: this.#limits }
      const made = await this.#staging.make((place) => unpackArtifact(artifact, place, unpackOptions))
      await this.#staging.adopt(made, folder)
    })
    return folder
  }

  async #write<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work()
    } catch (error) {
      throw toStorageError(error)
    }
  }

  #artifactPath(digest: string): string {
    return join(this.#directory, 'artifacts', assertDigest(digest))
  }

  #unpackedPath(digest: string): string {
    return join(this.#directory, 'unpacked', assertDigest(digest))
  }
}

/** Removes the unpacked folders of artifacts that are gone, as a crash in the middle of a removal leaves them. */
async function sweepUnpacked(directory: string, staging: Staging): Promise<void> {
  for (const digest of await readdir(join(directory, 'unpacked'))) {
    const gone = !(await exists(join(directory, 'artifacts', digest)))
    if (gone) await staging.remove(join(directory, 'unpacked', digest))
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

function assertDigest(digest: string): string {
  if (/^[0-9a-f]{64}$/.test(digest)) return digest
  throw new TypeError(`"digest" must be 64 lower-case hexadecimal digits; got ${JSON.stringify(digest)}.`)
}
