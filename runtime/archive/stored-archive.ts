import { crc32 } from './crc32.ts'
import { assertDistinctNames, assertSafeName } from './entry-name.ts'
import { archiveRefusal, quoteName } from './refusal.ts'

/** A file to be packed. */
export interface StoredFile {
  /** A relative path with slashes. */
  readonly name: string
  /** How many bytes {@link read} gives. */
  readonly sizeBytes: number
  /** Opens the file's content; called once. A chunk is done with before the next is asked for. */
  read(): AsyncIterable<Uint8Array>
}

interface StoredEntry {
  readonly nameBytes: Uint8Array
  readonly sizeBytes: number
  readonly crc32: number
  readonly headerAt: number
}

const fits16 = 0xffff
const fits32 = 0xffffffff
/** The sum follows the content, and names are UTF-8. */
const flags = (1 << 3) | (1 << 11)
const plainVersion = 20
const zip64Version = 45
/** The first day that the format knows, so that equal files make equal archives. */
const date = 0x0021

/**
 * Packs files into a zip archive, as they are and in the order given, as a stream of chunks. The same names and
 * contents give the same bytes, on any machine and at any time. Zip64 is used where it is needed and only there.
 *
 * @throws {IsoplexError} `ARTIFACT_BROKEN` where a name would be refused by `readDirectory`, or a file does not
 * have the size that it was announced with.
 */
export async function* writeStoredArchive(
  files: readonly StoredFile[],
): AsyncGenerator<Uint8Array, void, undefined> {
  for (const { name } of files) assertSafeName(name)
  assertDistinctNames(files.map(({ name }) => name))
  const entries: StoredEntry[] = []
  let at = 0
  for (const file of files) {
    const nameBytes = new TextEncoder().encode(file.name)
    const header = localHeader(nameBytes, file.sizeBytes)
    yield header
    const sum = yield* copyContent(file)
    const descriptor = dataDescriptor(sum, file.sizeBytes)
    yield descriptor
    entries.push({ nameBytes, sizeBytes: file.sizeBytes, crc32: sum, headerAt: at })
    at += header.length + file.sizeBytes + descriptor.length
  }
  const directoryAt = at
  for (const entry of entries) {
    const record = directoryRecord(entry)
    yield record
    at += record.length
  }
  yield directoryEnd(entries.length, directoryAt, at - directoryAt)
}

async function* copyContent({ name, sizeBytes, read }: StoredFile): AsyncGenerator<Uint8Array, number> {
  let sum = 0
  let doneBytes = 0
  for await (const chunk of read()) {
    sum = crc32(chunk, sum)
    doneBytes += chunk.length
    if (doneBytes > sizeBytes) break
    yield chunk
  }
  if (doneBytes === sizeBytes) return sum
  throw archiveRefusal(
    'size-mismatch',
    `The file ${quoteName(name)} changed its size while it was packed; try again once nothing writes to it.`,
  )
}

function localHeader(nameBytes: Uint8Array, sizeBytes: number): Uint8Array {
  const large = sizeBytes >= fits32
  const fields = new Fields(30 + nameBytes.length + (large ? 20 : 0))
  fields.uint32(0x04034b50).uint16(large ? zip64Version : plainVersion)
  fields.uint16(flags).uint16(0).uint16(0).uint16(date)
  // With the sum behind the content, sizes are zero here; the empty zip64 field says how wide they are there.
  fields
    .uint32(0)
    .uint32(large ? fits32 : 0)
    .uint32(large ? fits32 : 0)
  fields
    .uint16(nameBytes.length)
    .uint16(large ? 20 : 0)
    .bytes(nameBytes)
  if (large) fields.uint16(1).uint16(16).uint64(0).uint64(0)
  return fields.written
}

function dataDescriptor(sum: number, sizeBytes: number): Uint8Array {
  if (sizeBytes < fits32) {
    return new Fields(16).uint32(0x08074b50).uint32(sum).uint32(sizeBytes).uint32(sizeBytes).written
  }
  return new Fields(24).uint32(0x08074b50).uint32(sum).uint64(sizeBytes).uint64(sizeBytes).written
}

function directoryRecord({ nameBytes, sizeBytes, crc32: sum, headerAt }: StoredEntry): Uint8Array {
  const large = [
    ...(sizeBytes >= fits32 ? [sizeBytes, sizeBytes] : []),
    ...(headerAt >= fits32 ? [headerAt] : []),
  ]
  const extraBytes = large.length === 0 ? 0 : 4 + 8 * large.length
  const version = large.length === 0 ? plainVersion : zip64Version
  const fields = new Fields(46 + nameBytes.length + extraBytes)
  fields.uint32(0x02014b50).uint16(version).uint16(version).uint16(flags).uint16(0).uint16(0).uint16(date)
  fields.uint32(sum).uint32(Math.min(sizeBytes, fits32)).uint32(Math.min(sizeBytes, fits32))
  fields.uint16(nameBytes.length).uint16(extraBytes).uint16(0).uint16(0).uint16(0).uint32(0)
  fields.uint32(Math.min(headerAt, fits32)).bytes(nameBytes)
  if (large.length > 0) fields.uint16(1).uint16(extraBytes - 4)
  for (const value of large) fields.uint64(value)
  return fields.written
}

function directoryEnd(entries: number, offset: number, sizeBytes: number): Uint8Array {
  const large = entries >= fits16 || offset >= fits32 || sizeBytes >= fits32
  const fields = new Fields(22 + (large ? 76 : 0))
  if (large) {
    fields.uint32(0x06064b50).uint64(44).uint16(zip64Version).uint16(zip64Version).uint32(0).uint32(0)
    fields.uint64(entries).uint64(entries).uint64(sizeBytes).uint64(offset)
    fields
      .uint32(0x07064b50)
      .uint32(0)
      .uint64(offset + sizeBytes)
      .uint32(1)
  }
  fields.uint32(0x06054b50).uint16(0).uint16(0)
  fields.uint16(Math.min(entries, fits16)).uint16(Math.min(entries, fits16))
  fields.uint32(Math.min(sizeBytes, fits32)).uint32(Math.min(offset, fits32)).uint16(0)
  return fields.written
}

/** Little-endian fields, written one after the other. */
class Fields {
  readonly written: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(sizeBytes: number) {
    const buffer = new ArrayBuffer(sizeBytes)
    this.written = new Uint8Array(buffer)
    this.#view = new DataView(buffer)
  }

  uint16(value: number): this {
    this.#view.setUint16(this.#at, value, true)
    this.#at += 2
    return this
  }

  uint32(value: number): this {
    this.#view.setUint32(this.#at, value, true)
    this.#at += 4
    return this
  }

  uint64(value: number): this {
    this.#view.setBigUint64(this.#at, BigInt(value), true)
    this.#at += 8
    return this
  }

  bytes(bytes: Uint8Array): this {
    this.written.set(bytes, this.#at)
    this.#at += bytes.length
    return this
  }
}
