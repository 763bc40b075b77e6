/** What a content is made of. */
export type ContentSource =
  /** A file of this machine. Nobody may change its bytes any more, for the shelf may go on with the very same file. */
  { readonly path: string } | { readonly bytes: Uint8Array<ArrayBuffer> }

/**
 * Keeps the contents of jobs: their inputs, results and files, as bytes under keys. Which of them count is for the
 * rows of the job store to say: bytes are put first, under a key that was never used, and the row that names it is
 * written afterwards, so that bytes without a row are what a death in between has left.
 *
 * Keys are one or more names with slashes between, each of 1 to 128 letters, digits and `_ . -` that does not begin
 * with a dot, 512 characters in all; other keys are a TypeError.
 *
 * All methods throw `JOB_STORE_UNAVAILABLE` while the place is not to be had, and `STORAGE_FULL`.
 */
export interface ContentShelf {
  /**
   * Puts a content whole, in the place of one with the same key, in bounded memory. Once it resolves, the content
   * survives the death of any process. Where it throws, nothing has changed, and the source is as it was: the same put
   * may be tried again. A file that was put may be removed afterwards.
   */
  put(source: ContentSource, key: string): Promise<void>
  /**
   * At most `maxBytes` bytes from `offset` on, fewer only at the end; behind it there are none.
   *
   * @throws {IsoplexError} `JOB_NOT_FOUND` where there is nothing under the key (any more).
   */
  read(key: string, offset: number, maxBytes: number): Promise<Uint8Array<ArrayBuffer>>
  /**
   * Writes a content into a new file, readable by its owner alone, in bounded memory. A file that is there already is
   * written over.
   *
   * @throws {IsoplexError} `JOB_NOT_FOUND` as `read` does.
   */
  fetch(key: string, path: string): Promise<void>
  /** Removes contents; a key with nothing under it is none to worry about. */
  remove(keys: readonly string[]): Promise<void>
  /** The keys that were put longer ago, by the place's own clock, some hundreds at a time and in no order. */
  listOlderThan(ageMs: number): AsyncIterable<readonly string[]>
}
