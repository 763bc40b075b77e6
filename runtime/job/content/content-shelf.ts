/** What a content is made of: a file of this machine, or bytes. */
export type ContentSource = { readonly path: string } | { readonly bytes: Uint8Array }

/**
 * Where the bytes of jobs lie: inputs, results, files. Which of them count, the rows of the job store say: a content is
 * put first, under a key that was never used, and the row that names it is written afterwards, so that a content that no
 * row names is what a death in between has left.
 *
 * Keys are names with slashes between, each of 1 to 128 letters, digits, `_` and `-`, 512 characters in all, and none is
 * the beginning of another's names; what is no key is a TypeError. All methods throw `JOB_STORE_UNAVAILABLE` while the place is not to be had.
 */
export interface ContentShelf {
  /**
   * Keeps a content whole, in bounded memory: once it resolves, the bytes survive the death of any process. Where it
   * throws, nothing is to be read under the key but what was there before; the same put may be tried again. The source
   * stays where it is, and may be linked to: it must not be written to afterwards.
   *
   * @throws {IsoplexError} `STORAGE_FULL`
   */
  put(source: ContentSource, key: string): Promise<void>
  /**
   * A piece of a content, at most `maxBytes` from `offset` on, shorter only at its end; empty behind that.
   *
   * @throws {IsoplexError} `JOB_NOT_FOUND` where there is nothing under the key (any more).
   */
  read(key: string, offset: number, maxBytes: number): Promise<Uint8Array<ArrayBuffer>>
  /**
   * Writes a content into a new file of this machine, in the place of one that is there, in bounded memory.
   *
   * @throws {IsoplexError} `JOB_NOT_FOUND` as `read` does, `STORAGE_FULL`.
   */
  fetch(key: string, path: string): Promise<void>
  /** Removes contents, also halves of them; those that are not there are none to remove. */
  remove(keys: readonly string[]): Promise<void>
  /** The keys that were put longer ago than this, by the place's own clock; in batches, in no order. */
  listOlderThan(ageMs: number): AsyncIterable<readonly string[]>
}
