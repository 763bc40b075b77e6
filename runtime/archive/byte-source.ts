import { archiveRefusal } from './refusal.ts'

/** Bytes that can be read anywhere: a file, a Blob, or bytes in memory. */
export interface ByteSource {
  readonly sizeBytes: number
  /** Reads `length` bytes from `offset`. It gives fewer only where the source has turned out to be shorter. */
  read(offset: number, length: number): Promise<Uint8Array>
}

/** Bytes in memory as a source. What it reads are views, not copies. */
export function bytesSource(bytes: Uint8Array): ByteSource {
  return Object.freeze({
    sizeBytes: bytes.length,
    read: async (offset: number, length: number) => bytes.subarray(offset, offset + length),
  })
}

/** A Blob as a source, such as a file that a page was given. */
export function blobSource(blob: Blob): ByteSource {
  return Object.freeze({
    sizeBytes: blob.size,
    read: async (offset: number, length: number) =>
      new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer()),
  })
}

/** Reads exactly so many bytes. `what` names them in the refusal. */
export async function readExactly(
  source: ByteSource,
  place: { readonly offset: number; readonly length: number; readonly what: string },
): Promise<Uint8Array> {
  const { offset, length, what } = place
  if (offset + length > source.sizeBytes) {
    throw archiveRefusal(
      'out-of-bounds',
      `The archive has ${source.sizeBytes} bytes, but ${what} would end at byte ${offset + length}; it was cut short or damaged. Get it again.`,
    )
  }
  const bytes = await source.read(offset, length)
  if (bytes.length === length) return bytes
  throw archiveRefusal(
    'truncated',
    `The archive became shorter while ${what} was read; leave the file alone while it is in use.`,
  )
}
