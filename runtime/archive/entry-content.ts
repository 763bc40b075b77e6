import { Inflate } from 'fflate'
import { type ByteSource, readExactly } from './byte-source.ts'
import { crc32 } from './crc32.ts'
import type { ArchiveEntry } from './directory.ts'
import { archiveRefusal, quoteName } from './refusal.ts'

const readBytes = 262_144
// Deflate grows a byte to at most 1,032: one push gives at most 16.9 MB before its output can be counted.
const pushBytes = 16_384
// A stored block holds back up to 64 KiB until it is whole; whoever takes in more and gives nothing has ended.
const mostSilentBytes = 98_304

/** How an entry is unpacked. */
export interface EntryOptions {
  /** Sums bytes up as {@link crc32} does: a machine may have a quicker one. @default crc32 */
  readonly sumUp?: (bytes: Uint8Array, previous: number) => number
}

/**
 * Unpacks one entry as a stream of chunks. It ends with an error as soon as there is more than the directory
 * declares, and after the last chunk where there was less or the checksum disagrees: whoever writes the chunks
 * down keeps them only once the stream has ended well.
 *
 * @param entry one of those that `readDirectory` gave for this source
 * @throws {IsoplexError} `ARTIFACT_BROKEN` with an `ArchiveReason` in its details.
 */
export async function* readEntry(
  source: ByteSource,
  entry: ArchiveEntry,
  { sumUp = crc32 }: EntryOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const packed = readPacked(source, entry)
  let sizeBytes = 0
  let sum = 0
  for await (const chunk of entry.method === 'stored' ? packed : inflate(packed, entry)) {
    sizeBytes += chunk.length
    if (sizeBytes > entry.sizeBytes) throw wrongSize(entry, 'more')
    sum = sumUp(chunk, sum)
    yield chunk
  }
  if (sizeBytes < entry.sizeBytes) throw wrongSize(entry, 'fewer')
  if (sum !== entry.crc32) {
    throw archiveRefusal(
      'checksum-mismatch',
      `The archive's entry ${quoteName(entry.name)} does not have the checksum that the directory declares; it was damaged. Get the archive again.`,
    )
  }
}

async function* readPacked(source: ByteSource, entry: ArchiveEntry): AsyncGenerator<Uint8Array> {
  const what = `the content of entry ${quoteName(entry.name)}`
  for (let done = 0; done < entry.compressedBytes; done += readBytes) {
    const length = Math.min(readBytes, entry.compressedBytes - done)
    yield await readExactly(source, { offset: entry.offset + done, length, what })
  }
}

async function* inflate(packed: AsyncIterable<Uint8Array>, entry: ArchiveEntry): AsyncGenerator<Uint8Array> {
  let output: Uint8Array = new Uint8Array()
  const stream = new Inflate((chunk) => {
    output = chunk
  })
  let left = entry.compressedBytes
  let silentBytes = 0
  for await (const bytes of packed) {
    for (let at = 0; at < bytes.length; at += pushBytes) {
      const piece = bytes.subarray(at, at + pushBytes)
      left -= piece.length
      push(stream, piece, { last: left === 0, entry })
      silentBytes = output.length === 0 ? silentBytes + piece.length : 0
      if (silentBytes > mostSilentBytes) throw malformed(entry)
      if (output.length > 0) yield output
    }
  }
}

function push(
  stream: Inflate,
  piece: Uint8Array,
  { last, entry }: { readonly last: boolean; readonly entry: ArchiveEntry },
): void {
  try {
    stream.push(piece, last)
  } catch (cause) {
    throw malformed(entry, cause)
  }
}

function malformed(entry: ArchiveEntry, cause?: unknown): Error {
  return archiveRefusal(
    'data-malformed',
    `The archive's entry ${quoteName(entry.name)} is not a whole deflate stream; it was damaged. Get the archive again.`,
    cause,
  )
}

function wrongSize(entry: ArchiveEntry, words: 'more' | 'fewer'): Error {
  return archiveRefusal(
    'size-mismatch',
    `The archive's entry ${quoteName(entry.name)} has ${words} than the ${entry.sizeBytes} bytes that the directory declares; pack the archive again.`,
  )
}
