import { open } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { LRUCache } from 'lru-cache'
import { type ContentListing, digestOf, listContent } from './content-listing.ts'
import { type ContentQuestion, type ListingAnswer, maxPieceBytes } from './message.ts'

/** Content that is here. */
export interface Offered {
  readonly digest: string
  readonly listing: ContentListing
  /** The folder that the files lie in. */
  readonly folder: string
}

const maxOffers = 4_096

/**
 * What this machine has for others: folders and files that never change once they are there. It is read by the places in
 * a listing, never by a path that somebody sends.
 */
export class ContentOffer {
  /** By the path that it was offered as. */
  readonly #byPath = new LRUCache<string, Promise<Offered>>({ max: maxOffers })
  readonly #byDigest = new LRUCache<string, Offered>({ max: maxOffers })

  /** Offers a folder with all that is in it. @throws {Error} where it cannot be read. */
  offerFolder(path: string): Promise<Offered> {
    return this.#offer(`${path}/`, path)
  }

  /** Offers one file. @throws {Error} where it cannot be read. */
  offerFile(path: string): Promise<Offered> {
    return this.#offer(path, dirname(path), [basename(path)])
  }

  /** Offers these files of a folder. @throws {Error} where one cannot be read. */
  offerFiles(folder: string, names: readonly string[]): Promise<Offered> {
    return this.#offer(`${folder}/${names.join('/')}`, folder, names)
  }

  /** Content of this digest that has been offered. */
  find(digest: string): Offered | undefined {
    return this.#byDigest.get(digest)
  }

  /** Answers a question for content: JSON, or bytes of a file. @throws {Error} where there is no such content. */
  async answer(question: ContentQuestion): Promise<ListingAnswer | Uint8Array> {
    const offered = this.find(question.digest)
    if (question.ask === 'listing') return { listing: offered?.listing ?? null }
    const { offset, bytes } = question
    const file = offered?.listing[question.file]
    const inside = file && offset >= 0 && bytes > 0 && bytes <= maxPieceBytes && offset + bytes <= file.bytes
    if (!offered || !inside) throw new RangeError('There is no such piece of content.')
    return readPiece(join(offered.folder, file.path), offset, bytes)
  }

  #offer(key: string, folder: string, names?: readonly string[]): Promise<Offered> {
    const known = this.#byPath.get(key)
    if (known) return known
    const offering = listContent(folder, names).then((listing) => {
      const offered = Object.freeze({ digest: digestOf(listing), listing, folder })
      this.#byDigest.set(offered.digest, offered)
      return offered
    })
    this.#byPath.set(key, offering)
    offering.catch(() => this.#byPath.delete(key))
    return offering
  }
}

async function readPiece(path: string, offset: number, bytes: number): Promise<Uint8Array> {
  const file = await open(path)
  try {
    const piece = new Uint8Array(bytes)
    const { bytesRead } = await file.read(piece, 0, bytes, offset)
    if (bytesRead < bytes) throw new RangeError('A file of the content has become shorter.')
    return piece
  } finally {
    await file.close()
  }
}
