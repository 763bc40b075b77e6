import { createHash } from 'node:crypto'
import { mkdir, open, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { openStaging, type Staging } from '../../model/staging.ts'
import { bytesOf, type ContentFile, isDigest, readListing } from './content-listing.ts'
import { type ContentQuestion, maxPieceBytes } from './message.ts'

/** Asks another machine for content. */
export interface ContentPeer {
  /** The listing of a digest, as it was sent; `null` where the other end has no such content. */
  listing(digest: string): Promise<unknown>
  /** Bytes of a file. */
  piece(question: Extract<ContentQuestion, { ask: 'piece' }>): Promise<Uint8Array>
}

/** Content that is kept as long as somebody holds it. */
export interface ContentLease extends Disposable {
  /** The folder of its files. */
  readonly path: string
}

interface Shelved {
  readonly path: string
  readonly bytes: number
  holders: number
}

/** Pieces that are under way at a time: they bound what waits in memory, and keep the line busy. */
const piecesAtOnce = 4

/**
 * Content that other machines have sent, by its digest. It is fetched once, whoever asks; verified, file by file; and
 * seen only whole. What nobody holds goes, unused longest first, where all together has more bytes than it may. Each
 * process has a shelf of its own: others may tidy up after it.
 */
export class ContentShelf {
  readonly #directory: string
  readonly #staging: Staging
  readonly #maxBytes: number
  /** In the order of their last use. */
  readonly #shelved = new Map<string, Shelved>()
  readonly #fetching = new Map<string, Promise<void>>()

  private constructor(directory: string, staging: Staging, maxBytes: number) {
    this.#directory = directory
    this.#staging = staging
    this.#maxBytes = maxBytes
  }

  /** Opens a shelf below a folder, and removes what processes that have died left there. */
  static async open(folder: string, maxBytes: number): Promise<ContentShelf> {
    const staging = await openStaging(folder)
    const directory = await staging.make(async (path) => void (await mkdir(path)))
    return new ContentShelf(directory, staging, maxBytes)
  }

  /** Removes all of it. */
  async close(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true })
  }

  /**
   * Has content here, and keeps it until the lease is disposed of.
   *
   * @throws {Error} where the other end does not have it, or what it sends is not what it said.
   */
  async obtain(digest: string, peer: ContentPeer): Promise<ContentLease> {
    if (!isDigest(digest)) throw new TypeError('That is no digest of content.')
    for (;;) {
      const shelved = this.#shelved.get(digest)
      if (shelved) return this.#lease(digest, shelved)
      await this.#fetchOnce(digest, peer)
    }
  }

  #lease(digest: string, shelved: Shelved): ContentLease {
    this.#shelved.delete(digest)
    this.#shelved.set(digest, shelved)
    shelved.holders += 1
    let held = true
    return {
      path: shelved.path,
      [Symbol.dispose]: () => {
        if (!held) return
        held = false
        shelved.holders -= 1
        this.#prune()
      },
    }
  }

  async #fetchOnce(digest: string, peer: ContentPeer): Promise<void> {
    const others = this.#fetching.get(digest)
    // The other's peer may go away meanwhile, which is no reason for this one to fail.
    if (others) return void (await others.catch(() => undefined))
    const fetching = this.#fetch(digest, peer).finally(() => this.#fetching.delete(digest))
    this.#fetching.set(digest, fetching)
    await fetching
  }

  async #fetch(digest: string, peer: ContentPeer): Promise<void> {
    const sent = await peer.listing(digest)
    if (sent === null) throw new Error(`Content ${digest} is not to be had.`)
    const listing = readListing(sent, digest)
    const bytes = bytesOf(listing)
    if (bytes > this.#maxBytes)
      throw new Error(
        `Content ${digest} has ${bytes} bytes, and ${this.#maxBytes} are the limit (maxStoreBytes).`,
      )
    const made = await this.#staging.make(async (path) => {
      await mkdir(path)
      for (const [file, entry] of listing.entries())
        await this.#fetchFile({ digest, file, entry, path }, peer)
    })
    const path = join(this.#directory, digest)
    await this.#staging.place(made, path)
    this.#shelved.set(digest, { path, bytes, holders: 0 })
  }

  async #fetchFile(
    { digest, file, entry, path }: { digest: string; file: number; entry: ContentFile; path: string },
    peer: ContentPeer,
  ): Promise<void> {
    const place = join(path, entry.path)
    await mkdir(dirname(place), { recursive: true })
    await using target = await open(place, 'wx')
    const hash = createHash('sha256')
    const coming: Promise<Uint8Array>[] = []
    const asked = piecesOf(entry.bytes)
    const ask = (): void => {
      const next = asked.next()
      if (next.done) return
      const piece = peer.piece({ ask: 'piece', digest, file, ...next.value })
      // Whoever waits for it hears of its failure; until then it is nobody's.
      piece.catch(() => undefined)
      coming.push(piece)
    }
    for (let count = 0; count < piecesAtOnce; count += 1) ask()
    for (let piece = coming.shift(); piece; piece = coming.shift()) {
      const bytes = await piece
      ask()
      hash.update(bytes)
      await target.writeFile(bytes)
    }
    if (hash.digest('hex') !== entry.sha256)
      throw new Error(`A file of content ${digest} came with other bytes than were listed.`)
  }

  #prune(): void {
    let bytes = [...this.#shelved.values()].reduce((sum, shelved) => sum + shelved.bytes, 0)
    for (const [digest, shelved] of this.#shelved) {
      if (bytes <= this.#maxBytes) return
      if (shelved.holders > 0) continue
      bytes -= shelved.bytes
      this.#shelved.delete(digest)
      void this.#staging.remove(shelved.path).catch(() => undefined)
    }
  }
}

function* piecesOf(total: number): Generator<{ offset: number; bytes: number }, undefined> {
  for (let offset = 0; offset < total; offset += maxPieceBytes)
    yield { offset, bytes: Math.min(maxPieceBytes, total - offset) }
  return undefined
}
