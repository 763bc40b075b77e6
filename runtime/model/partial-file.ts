import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Checksum } from './backend.ts'
import { type ArtifactHash, createArtifactHash } from './checksum.ts'
import { readFileChunks, syncFolder } from './durable-file.ts'
import { isJsonObject, readJsonFile } from './json-file.ts'
import type { Staging } from './staging.ts'
import { hasCode } from './storage-error.ts'

/** How many bytes may be lost at most when the machine goes down in the middle. */
const syncEveryBytes = 8_388_608

/** How many bytes are gathered before they are written: a write for each packet would cost more than its bytes. */
const writeBytes = 1_048_576

/** What the server told of the bytes that a partial file holds a part of. */
export interface PartialSource {
  /** A validator for `If-Range`: a strong entity tag, else a date. */
  readonly validator: string
  readonly totalBytes: number | null
}

/** A download that is whole. */
export interface WholeFile {
  readonly digest: string
  readonly sizeBytes: number
  matches(checksum: Checksum): boolean
}

/**
 * The file that a download grows in. It outlives its process and the machine: beside it stands how many of its bytes
 * are on the disk for certain, and by what the server knows them again. Only one may have it open at a time.
 */
export class PartialFile {
  readonly #path: string
  readonly #staging: Staging
  readonly #handle: FileHandle
  readonly #checksum: Checksum | null
  #hash: ArtifactHash
  #source: PartialSource | null
  #sizeBytes: number
  /** What has come and is not written yet. */
  #gathered: Uint8Array[] = []
  #writtenBytes: number
  #syncStartedBytes: number
  #syncing: Promise<void> = Promise.resolve()
  #closed = false

  /** Use {@link openPartialFile}. */
  constructor(path: string, staging: Staging, parts: PartialParts) {
    this.#path = path
    this.#staging = staging
    this.#handle = parts.handle
    this.#checksum = parts.checksum
    this.#hash = parts.hash
    this.#source = parts.source
    this.#sizeBytes = parts.sizeBytes
    this.#writtenBytes = parts.sizeBytes
    this.#syncStartedBytes = parts.sizeBytes
  }

  /** How much is there. */
  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** By what the server knows the bytes that are there; `null` where there are none that could be continued. */
  get source(): PartialSource | null {
    return this.#sizeBytes === 0 ? null : this.#source
  }

  /** Drops what is there and begins anew, with bytes that can be continued only if there is a source. */
  async begin(source: PartialSource | null): Promise<void> {
    await this.#settle()
    this.#syncing = Promise.resolve()
    if (this.#source !== null) {
      // Not even a power failure may bring back what would vouch for the bytes to come.
      await rm(this.#facts, { force: true })
      await syncFolder(dirname(this.#path))
    }
    await this.#handle.truncate(0)
    this.#hash = createArtifactHash(this.#checksum)
    this.#source = source
    this.#sizeBytes = 0
    this.#gathered = []
    this.#writtenBytes = 0
    this.#syncStartedBytes = 0
  }

  /** Takes further bytes, which nobody may change any more. */
  async append(chunk: Uint8Array): Promise<void> {
    this.#hash.update(chunk)
    this.#gathered.push(chunk)
    this.#sizeBytes += chunk.length
    if (this.#sizeBytes - this.#writtenBytes < writeBytes) return
    await this.#write()
    if (this.#writtenBytes - this.#syncStartedBytes >= syncEveryBytes) {
      await this.#syncing
      this.#startSync()
    }
  }

  /** Makes sure that all that is there outlives whatever happens now. */
  async sync(): Promise<void> {
    await this.#write()
    await this.#syncing
    if (this.#writtenBytes === this.#syncStartedBytes) return
    this.#startSync()
    await this.#syncing
  }

  /** Moves the file, which is whole now, to a path, and gives what is in it. It is closed with that. */
  async finish(path: string): Promise<WholeFile> {
    await this.sync()
    this.#closed = true
    await this.#handle.close()
    await rename(this.#path, path)
    await rm(this.#facts, { force: true })
    return { sizeBytes: this.#sizeBytes, ...this.#hash.finish() }
  }

  /** Drops what is there, for good. */
  async drop(): Promise<void> {
    if (!this.#closed) await this.begin(null)
  }

  /** Closes the file; what is on the disk stays, to be continued some time. It may be called again. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#settle()
    await this.#handle.close()
    if (this.source === null) await removePartialFile(this.#path)
  }

  get #facts(): string {
    return factsOf(this.#path)
  }

  async #write(): Promise<void> {
    const bytes = Buffer.concat(this.#gathered)
    this.#gathered = []
    // A disk that fills up may take a part and say so only when the rest is written.
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, this.#writtenBytes)
      done += bytesWritten
      this.#writtenBytes += bytesWritten
    }
  }

  #startSync(): void {
    this.#syncStartedBytes = this.#writtenBytes
    const syncing = this.#sync(this.#writtenBytes)
    // Whoever comes next awaits it; until then its failure is nobody's.
    syncing.catch(() => undefined)
    this.#syncing = syncing
  }

  async #sync(syncedBytes: number): Promise<void> {
    await this.#handle.datasync()
    if (this.#source === null) return
    await this.#staging.writeSmall(this.#facts, JSON.stringify({ ...this.#source, syncedBytes }))
  }

  async #settle(): Promise<void> {
    await this.#syncing.catch(() => undefined)
  }
}

interface PartialParts {
  readonly handle: FileHandle
  readonly checksum: Checksum | null
  readonly hash: ArtifactHash
  readonly source: PartialSource | null
  readonly sizeBytes: number
}

/**
 * Opens a partial file, be it new or left by a process that is gone. Bytes of which it is not certain that they are
 * on the disk are cut off.
 *
 * @param checksum what it will be held against
 */
export async function openPartialFile(
  path: string,
  staging: Staging,
  checksum: Checksum | null,
): Promise<PartialFile> {
  const facts = toFacts(await readJsonFile(factsOf(path)))
  const handle = await openOrCreate(path)
  try {
    const { size } = await handle.stat()
    const sizeBytes = facts !== null && facts.syncedBytes <= size ? facts.syncedBytes : 0
    await handle.truncate(sizeBytes)
    const hash = createArtifactHash(checksum)
    for await (const chunk of readFileChunks(path)) hash.update(chunk)
    return new PartialFile(path, staging, {
      handle,
      checksum,
      hash,
      source: facts?.source ?? null,
      sizeBytes,
    })
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** Removes a partial file and what stands beside it. Nobody may have it open. */
export async function removePartialFile(path: string): Promise<void> {
  await rm(factsOf(path), { force: true })
  await rm(path, { force: true })
}

/** Whether a name in the folder of partial files stands beside one, and is none itself. */
export function isPartialFacts(name: string): boolean {
  return name.endsWith('.json')
}

function factsOf(path: string): string {
  return `${path}.json`
}

async function openOrCreate(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r+')
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error
    // Should a power failure take its name away, the download begins anew.
    return await open(path, 'wx+')
  }
}

function toFacts(value: unknown): { readonly source: PartialSource; readonly syncedBytes: number } | null {
  if (!isJsonObject(value)) return null
  const { validator, totalBytes, syncedBytes } = value
  if (typeof validator !== 'string' || !isCount(syncedBytes)) return null
  return { source: { validator, totalBytes: isCount(totalBytes) ? totalBytes : null }, syncedBytes }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
