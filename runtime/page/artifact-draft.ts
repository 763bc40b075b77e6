import { type ArtifactShelf, isNamed, type WritableArtifact } from './artifact-shelf.ts'

/** Where a draft is written. */
export interface ArtifactDraftOptions {
  readonly digest: string
  /** Where it is kept; `null` to have it in memory only. */
  readonly shelf: ArtifactShelf | null
  /** Makes room where the browser has none for this many more bytes; gives `false` where there is none to be made. */
  readonly makeRoom: (bytes: number) => Promise<boolean>
}

const blobBytes = 4_194_304

/**
 * An artifact while it comes. What has come is kept at once, so that the rest can follow at another time; where the
 * browser has no room for it any more, all of it goes on in memory.
 */
export class ArtifactDraft implements Disposable {
  readonly #options: ArtifactDraftOptions
  #file: WritableArtifact | null
  /** What is in memory; the browser may write Blobs to disk. */
  #blobs: Blob[] = []
  #loose: Uint8Array<ArrayBuffer>[] = []
  #looseBytes = 0
  #doneBytes: number

  private constructor(options: ArtifactDraftOptions, file: WritableArtifact | null) {
    this.#options = options
    this.#file = file
    this.#doneBytes = file?.getSize() ?? 0
  }

  /** Opens what has come of an artifact before, which may be nothing. Nobody else may write it meanwhile. */
  static async open(options: ArtifactDraftOptions): Promise<ArtifactDraft> {
    const { shelf, digest } = options
    return new ArtifactDraft(options, shelf === null ? null : await shelf.open(digest).catch(() => null))
  }

  get doneBytes(): number {
    return this.#doneBytes
  }

  /** Whether what has come will be there at another time. */
  get isKept(): boolean {
    return this.#file !== null
  }

  /** Adds bytes at the end. */
  async append(chunk: Uint8Array<ArrayBuffer>): Promise<void> {
    if (this.#file === null || !(await this.#write(this.#file, chunk))) this.#hold(chunk)
    this.#doneBytes += chunk.length
  }

  /** Begins anew. */
  restart(): void {
    this.#file?.truncate(0)
    this.#blobs = []
    this.#loose = []
    this.#looseBytes = 0
    this.#doneBytes = 0
  }

  /** Ends the writing, and gives all that has come. */
  async finish(): Promise<Blob> {
    const isKept = this.isKept
    this[Symbol.dispose]()
    const { shelf, digest } = this.#options
    return (isKept ? await shelf?.find(digest) : null) ?? new Blob([...this.#blobs, ...this.#loose])
  }

  /** Closes the file, with what has come so far. */
  [Symbol.dispose](): void {
    this.#file?.close()
    this.#file = null
  }

  /** Writes to the file; where it gets no more room, takes what it holds into memory and gives `false`. */
  async #write(file: WritableArtifact, chunk: Uint8Array<ArrayBuffer>): Promise<boolean> {
    while (!tryToWrite(file, chunk, this.#doneBytes)) {
      if (await this.#options.makeRoom(chunk.length)) continue
      await this.#leaveFile(file)
      return false
    }
    return true
  }

  async #leaveFile(file: WritableArtifact): Promise<void> {
    for (let at = 0; at < this.#doneBytes; at += blobBytes) {
      const piece = new Uint8Array(Math.min(blobBytes, this.#doneBytes - at))
      file.read(piece, { at })
      this.#hold(piece)
    }
    file.close()
    this.#file = null
    await this.#options.shelf?.remove(this.#options.digest)
  }

  #hold(chunk: Uint8Array<ArrayBuffer>): void {
    this.#loose.push(chunk)
    this.#looseBytes += chunk.length
    if (this.#looseBytes < blobBytes) return
    this.#blobs.push(new Blob(this.#loose))
    this.#loose = []
    this.#looseBytes = 0
  }
}

/** Whether all of a chunk could be written. */
function tryToWrite(file: WritableArtifact, chunk: Uint8Array, at: number): boolean {
  try {
    return file.write(chunk, { at }) === chunk.length
  } catch (error) {
    if (isNamed(error, 'QuotaExceededError')) return false
    throw error
  }
}
