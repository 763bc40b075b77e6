import { open, rm } from 'node:fs/promises'
import { toStorageError } from '../../model/storage-error.ts'
import { assertWithin } from '../store/record-limit.ts'

/** Pieces are written together up to this size. */
const blockBytes = 262_144

/**
 * Writes a new file of pieces as they come, text as UTF-8; no more is held than a block and the piece at hand. Returns
 * its size in bytes. Where the pieces fail, come to more than `maxBytes` or the disk is full, nothing is left of it.
 *
 * @param maxBytes pieces that never end are ended by it
 * @throws {TypeError} where a piece is neither text nor bytes.
 * @throws {IsoplexError} `JOB_TOO_LARGE`, `STORAGE_FULL`
 */
export async function writeScratchFile(
  path: string,
  pieces: Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>,
  maxBytes: number,
): Promise<number> {
  const handle = await open(path, 'wx')
  let bytes = 0
  const write = async (block: Uint8Array): Promise<void> => {
    assertWithin(bytes + block.length, maxBytes, 'What the job leaves', 'leave less, or raise maxJobBytes')
    // A disk that fills up may take a part and say so only when the rest is written.
    for (let done = 0; done < block.length; ) {
      const { bytesWritten } = await handle.write(block, done, block.length - done)
      done += bytesWritten
    }
    bytes += block.length
  }
  try {
    const block = new Uint8Array(blockBytes)
    let filled = 0
    for await (const piece of pieces) {
      const part = bytesOf(piece)
      if (filled + part.length > blockBytes) {
        await write(block.subarray(0, filled))
        filled = 0
      }
      if (part.length > blockBytes) await write(part)
      else {
        // Whoever makes the pieces may use the memory of one for the next.
        block.set(part, filled)
        filled += part.length
      }
    }
    await write(block.subarray(0, filled))
    return bytes
  } catch (error) {
    await rm(path, { force: true })
    throw toStorageError(error)
  } finally {
    await handle.close()
  }
}

function bytesOf(piece: string | Uint8Array): Uint8Array {
  if (typeof piece === 'string') return Buffer.from(piece)
  if (piece instanceof Uint8Array) return piece
  throw new TypeError(`A file is made of texts and Uint8Arrays; got ${typeof piece}.`)
}
