import { open, rm } from 'node:fs/promises'
import { IsoplexError, isIsoplexError } from '../error/error.ts'
import { openStaging, type Staging } from './staging.ts'
import { toStorageError } from './storage-error.ts'

/** What uploads may take. */
export interface UploadLimits {
  /** The largest file, in bytes. */
  readonly maxBytes: number
  /** The most uploads of one access at a time, those included that are whole and not yet used. @default 4 */
  readonly maxOpen?: number
  /** The time without a chunk after which an upload is given up, in milliseconds. @default 86400000 */
  readonly idleMs?: number
  /** A clock in milliseconds that never goes back. @default performance.now */
  readonly now?: () => number
}

/** A part of a file, as its sender places it. */
export interface UploadChunk {
  /** Where its first byte stands in the file. */
  readonly startByte: number
  /** The bytes of the whole file. */
  readonly totalBytes: number
  readonly bytes: Uint8Array
}

/** An upload as its sender names it. */
export interface UploadName {
  /** The access that began it: nobody else finds it. */
  readonly accessId: number
  readonly id: string
}

/** How far an upload has come. */
export interface UploadState {
  readonly id: string
  /** Where the next chunk has to begin, in bytes. */
  readonly offset: number
  readonly totalBytes: number
}

/** An upload under way. */
interface Upload {
  readonly accessId: number
  readonly totalBytes: number
  /** The path of its file, once that is made. */
  readonly file: Promise<string>
  readonly hash: Bun.CryptoHasher
  offset: number
  touchedMs: number
  /** Settles once all chunks that were taken are on the disk. */
  written: Promise<void>
  /** Its checksum, once all of it is here and was compared. */
  md5: string | null
  /** Whether somebody works with the whole file. */
  inUse: boolean
}

/**
 * Opens a place where files are put together from chunks.
 *
 * @param directory the staging folder of a store, of which it takes what a process that died left behind
 * @throws {IsoplexError} `STORAGE_FULL`
 */
export async function openUploads(directory: string, limits: UploadLimits): Promise<Uploads> {
  try {
    return new Uploads(await openStaging(directory), limits)
  } catch (error) {
    throw toStorageError(error)
  }
}

/** Files that come in chunks. They live no longer than this process. Made by {@link openUploads}. */
export class Uploads {
  readonly #staging: Staging
  readonly #limits: Required<UploadLimits>
  readonly #uploads = new Map<string, Upload>()

  constructor(staging: Staging, limits: UploadLimits) {
    this.#staging = staging
    this.#limits = { maxOpen: 4, idleMs: 86_400_000, now: () => performance.now(), ...limits }
  }

  /**
   * Begins an upload with its first chunk.
   *
   * @throws {IsoplexError} `INPUT_INVALID` where the chunk is not the first one, or the access has as many uploads
   * open as it may; `BODY_TOO_LARGE`, `STORAGE_FULL`.
   */
  async begin(accessId: number, chunk: UploadChunk): Promise<UploadState> {
    const { maxBytes, maxOpen } = this.#limits
    await this.sweep()
    if (chunk.totalBytes > maxBytes) throw tooLarge(maxBytes)
    assertFollows(chunk, 0, chunk.totalBytes)
    const open = [...this.#uploads.values()].filter((upload) => upload.accessId === accessId)
    if (open.length >= maxOpen) throw tooMany(maxOpen)
    const id = crypto.randomUUID()
    this.#uploads.set(id, this.#newUpload(accessId, chunk))
    return await this.append({ accessId, id }, chunk)
  }

  /**
   * Takes the next chunk. Of chunks that come side by side, those are taken that follow each other.
   *
   * @throws {IsoplexError} `ENTRY_NOT_FOUND` where the access has no such upload, `INPUT_INVALID` where the chunk
   * leaves a gap, overlaps, or is of a file of another size; `STORAGE_FULL`, and then the upload is given up.
   */
  async append({ accessId, id }: UploadName, chunk: UploadChunk): Promise<UploadState> {
    const upload = this.#find({ accessId, id })
    assertFollows(chunk, upload.offset, upload.totalBytes)
    upload.offset += chunk.bytes.length
    upload.touchedMs = this.#limits.now()
    upload.hash.update(chunk.bytes)
    upload.written = this.#write(id, upload, chunk)
    const { offset, totalBytes } = upload
    await upload.written
    return Object.freeze({ id, offset, totalBytes })
  }

  /**
   * Ends an upload: all of it has come, and has this MD5. It may be ended again.
   *
   * @param md5 in hexadecimal
   * @throws {IsoplexError} `ENTRY_NOT_FOUND`; `INPUT_INVALID` where bytes are missing, and where the MD5 is another:
   * then the upload is given up.
   */
  async finish({ accessId, id }: UploadName, md5: string): Promise<UploadState> {
    const upload = this.#find({ accessId, id })
    const { offset, totalBytes, written } = upload
    await written
    if (offset !== totalBytes) {
      throw refusal('', `has ${offset} of its ${totalBytes} bytes; send the others first`)
    }
    upload.md5 ??= upload.hash.digest('hex')
    if (upload.md5 !== md5.toLowerCase()) {
      if (!upload.inUse) await this.#discard(id)
      throw refusal('/md5', 'does not fit the bytes that came; send all of them again')
    }
    return Object.freeze({ id, offset, totalBytes })
  }

  /**
   * Works with a whole file, which is gone when the work has succeeded, and when it finds the file broken
   * (`ARTIFACT_BROKEN`). If it fails otherwise, the upload stays.
   *
   * @throws {IsoplexError} `ENTRY_NOT_FOUND`, `INPUT_INVALID` where it was not finished or is worked with already.
   */
  async use<Result>({ accessId, id }: UploadName, work: (path: string) => Promise<Result>): Promise<Result> {
    const upload = this.#find({ accessId, id })
    if (upload.md5 === null) throw refusal('/chunked_upload', 'is not finished; send its md5 first')
    if (upload.inUse) throw refusal('/chunked_upload', 'is being registered already')
    upload.inUse = true
    try {
      const result = await work(await upload.file)
      await this.#discard(id)
      return result
    } catch (error) {
      if (isIsoplexError(error) && error.code === 'ARTIFACT_BROKEN') await this.#discard(id)
      throw error
    } finally {
      upload.inUse = false
      upload.touchedMs = this.#limits.now()
    }
  }

  /** Gives up what has been idle for too long. */
  async sweep(): Promise<void> {
    const sinceMs = this.#limits.now() - this.#limits.idleMs
    for (const [id, { touchedMs, inUse }] of this.#uploads) {
      if (touchedMs <= sinceMs && !inUse) await this.#discard(id)
    }
  }

  #newUpload(accessId: number, { totalBytes }: UploadChunk): Upload {
    const file = this.#staging.make(async (path) => (await open(path, 'wx', 0o600)).close())
    return {
      accessId,
      totalBytes,
      file,
      hash: new Bun.CryptoHasher('md5'),
      offset: 0,
      touchedMs: this.#limits.now(),
      written: file.then(() => undefined),
      md5: null,
      inUse: false,
    }
  }

  async #write(id: string, { file, written }: Upload, { bytes, startByte }: UploadChunk): Promise<void> {
    try {
      await written
      await writeAt(await file, bytes, startByte)
    } catch (error) {
      await this.#discard(id)
      throw toStorageError(error)
    }
  }

  /** Somebody else's upload is as good as none, so that nobody learns of it. */
  #find({ accessId, id }: UploadName): Upload {
    const upload = this.#uploads.get(id)
    if (upload?.accessId === accessId) return upload
    throw new IsoplexError('ENTRY_NOT_FOUND', 'There is no such upload, or not any more; begin it again.', {
      details: { entry: 'upload' },
    })
  }

  async #discard(id: string): Promise<void> {
    const upload = this.#uploads.get(id)
    this.#uploads.delete(id)
    const path = await upload?.file.catch(() => undefined)
    if (path !== undefined) await rm(path, { force: true })
  }
}

/** @throws {IsoplexError} `INPUT_INVALID` */
function assertFollows(chunk: UploadChunk, offset: number, totalBytes: number): void {
  const { startByte, bytes } = chunk
  if (chunk.totalBytes !== totalBytes) throw refusal('', `is of a file of ${totalBytes} bytes`)
  if (startByte !== offset) throw refusal('', `goes on at byte ${offset}; this chunk begins at ${startByte}`)
  if (bytes.length === 0 || offset + bytes.length > totalBytes) {
    throw refusal('/file', `must have 1 to ${totalBytes - offset} bytes`)
  }
}

async function writeAt(path: string, bytes: Uint8Array, startByte: number): Promise<void> {
  const handle = await open(path, 'r+')
  try {
    for (let done = 0; done < bytes.length; ) {
      done += (await handle.write(bytes, done, bytes.length - done, startByte + done)).bytesWritten
    }
  } finally {
    await handle.close()
  }
}

function refusal(path: string, message: string): IsoplexError<'INPUT_INVALID'> {
  const subject = path === '' ? 'The upload' : `The upload at ${path}`
  return new IsoplexError('INPUT_INVALID', `${subject} ${message}.`, {
    details: { issues: [{ path, message }] },
  })
}

function tooMany(maxOpen: number): IsoplexError<'INPUT_INVALID'> {
  return refusal(
    '',
    `would be one more than the ${maxOpen} that an access may have open; finish or register one`,
  )
}

function tooLarge(limitBytes: number): IsoplexError<'BODY_TOO_LARGE'> {
  return new IsoplexError('BODY_TOO_LARGE', `The file is larger than the ${limitBytes} bytes taken here.`, {
    details: { limitBytes },
  })
}
