import { isArchive, loneModelName } from '../archive/artifact-form.ts'
import { type ByteSource, blobSource } from '../archive/byte-source.ts'
import { type ArchiveEntry, readDirectory } from '../archive/directory.ts'
import { readEntry } from '../archive/entry-content.ts'
import { type ArchiveLimits, archiveLimits } from '../archive/limits.ts'
import { archiveRefusal, quoteName } from '../archive/refusal.ts'
import { IsoplexError } from '../error/error.ts'
import type { ArtifactFolder } from './artifact.ts'

/** What a page reads of an archive it has in memory, as one piece a file: there is less room than on a server. */
const pageLimits: ArchiveLimits = Object.freeze({
  ...archiveLimits,
  maxEntryBytes: 2_147_483_648,
  maxTotalBytes: 4_294_967_296,
})

/**
 * Opens an artifact as a folder: a zip archive, or a lone model as `model.onnx`. Nothing is unpacked before it is read,
 * and nothing that was read is kept.
 *
 * @throws {IsoplexError} `ARTIFACT_BROKEN` with the reason, by the rules of servers.
 */
export async function openArtifactFolder(digest: string, blob: Blob): Promise<ArtifactFolder> {
  const source = createSource(blob)
  const entries = isArchive(await source.read(0, 2)) ? await readDirectory(source, pageLimits) : null
  if (entries === null) {
    return Object.freeze<ArtifactFolder>({
      digest,
      bytes: blob.size,
      names: Object.freeze([loneModelName]),
      read: async (name) => (name === loneModelName ? readAll(blob) : missing(name)),
    })
  }
  const byName = new Map(entries.map((entry) => [entry.name, entry]))
  return Object.freeze<ArtifactFolder>({
    digest,
    bytes: entries.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    names: Object.freeze([...byName.keys()]),
    async read(name) {
      const entry = byName.get(name)
      return entry === undefined ? missing(name) : unpack(source, entry)
    },
  })
}

/** The size was held to the limits, and what comes out is held to the size. */
async function unpack(source: ByteSource, entry: ArchiveEntry): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = allocate(entry)
  let at = 0
  for await (const chunk of readEntry(source, entry)) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

function allocate({ name, sizeBytes }: ArchiveEntry): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(sizeBytes)
  } catch (cause) {
    const message = `The archive's entry ${quoteName(name)} has ${sizeBytes} bytes, for which this page gets no memory.`
    throw archiveRefusal('entry-too-large', message, cause)
  }
}

function createSource(blob: Blob): ByteSource {
  const { sizeBytes, read } = blobSource(blob)
  return { sizeBytes, read: (offset, length) => whole(read(offset, length)) }
}

async function readAll(blob: Blob): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await whole(blob.arrayBuffer()))
}

/** A Blob that cannot be read any more is a file that was removed, or changed by somebody else. */
async function whole<Read>(reading: Promise<Read>): Promise<Read> {
  try {
    return await reading
  } catch (cause) {
    const message =
      'The artifact was removed from this browser, or altered, while it was read; load the model again.'
    throw new IsoplexError('ARTIFACT_BROKEN', message, { details: { reason: 'gone' }, cause })
  }
}

function missing(name: string): never {
  const message = `The artifact has no file ${quoteName(name)}.`
  throw new IsoplexError('ARTIFACT_BROKEN', message, { details: { reason: 'missing-file' } })
}
