import { rm } from 'node:fs/promises'
import { openFileSource, writeChunks } from '../../model/durable-file.ts'
import { toStorageError } from '../../model/storage-error.ts'
import type { ContentShelf, ContentSource } from './content-shelf.ts'

const pieceBytes = 2_097_152

/** Takes what a content is made of apart, into pieces of this many bytes; only the last may have fewer, or none. */
export async function* readSource(source: ContentSource, bytes: number): AsyncGenerator<Uint8Array> {
  if ('bytes' in source) {
    for (let offset = 0; offset === 0 || offset < source.bytes.length; offset += bytes) {
      yield source.bytes.subarray(offset, offset + bytes)
    }
    return
  }
  const file = await openFileSource(source.path)
  try {
    for (let offset = 0; offset === 0 || offset < file.sizeBytes; offset += bytes) {
      yield await file.read(offset, Math.min(bytes, file.sizeBytes - offset))
    }
  } finally {
    await file.close()
  }
}

/** Writes a content into a new file, piece by piece; one that is there makes way, and one half written goes. */
export async function fetchInPieces(
  shelf: Pick<ContentShelf, 'read'>,
  key: string,
  path: string,
): Promise<void> {
  try {
    // Written over, it could change a content that it is linked to.
    await rm(path, { force: true })
    await writeChunks(path, readPieces(shelf, key))
  } catch (error) {
    await rm(path, { force: true })
    throw toStorageError(error)
  }
}

async function* readPieces(shelf: Pick<ContentShelf, 'read'>, key: string): AsyncGenerator<Uint8Array> {
  for (let offset = 0; ; ) {
    const piece = await shelf.read(key, offset, pieceBytes)
    if (piece.length === 0) return
    yield piece
    offset += piece.length
  }
}
