import { crc32, deflateRawSync } from 'node:zlib'

/** What both headers of an entry say. Whatever is not given follows from the content. */
export interface BuiltHeader {
  readonly name?: string | Uint8Array
  readonly method?: number
  readonly flags?: number
  readonly crc32?: number
  readonly sizeBytes?: number
  readonly compressedBytes?: number
  readonly extra?: Uint8Array
}

/** An entry put together by hand, as true or as false as a test wants it. */
export interface BuiltEntry extends BuiltHeader {
  readonly name: string | Uint8Array
  readonly content?: Uint8Array | string
  /** The bytes as they lie in the archive. By default the content, stored or deflated as `method` says. */
  readonly packed?: Uint8Array
  /** What the header in front of the content says otherwise than the directory. */
  readonly local?: BuiltHeader & { readonly signature?: number }
  readonly externalAttributes?: number
  readonly disk?: number
  /** Where the directory says that the entry begins. By default where it does. */
  readonly headerAt?: number
}

/** What the end record says; whatever is not given is true. */
export interface BuiltEnd {
  readonly disk?: number
  readonly directoryDisk?: number
  readonly entriesHere?: number
  readonly entries?: number
  readonly sizeBytes?: number
  readonly offset?: number
}

/** What is around the entries. */
export interface BuiltFrame {
  readonly end?: BuiltEnd
  /** Writes the zip64 end as well; what is given here is said there. */
  readonly zip64?: BuiltEnd & {
    readonly signature?: number
    readonly recordAt?: number
    readonly disks?: number
  }
  readonly comment?: Uint8Array
  /** Bytes in front of the first entry. */
  readonly before?: Uint8Array
  /** Bytes between the directory and the end. */
  readonly between?: Uint8Array
}

/** A Unix mode as external attributes. */
export function unixMode(mode: number): number {
  return (mode << 16) >>> 0
}

/** Builds a zip archive by hand: every field can be made to lie. */
export function buildArchive(
  entries: readonly BuiltEntry[],
  frame: BuiltFrame = {},
): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [frame.before ?? new Uint8Array()]
  const records: Uint8Array[] = []
  for (const entry of entries) {
    const headerAt = entry.headerAt ?? sumOf(parts)
    const { packed, header } = packEntry(entry)
    parts.push(localHeader({ ...header, ...entry.local }, entry.local?.signature), packed)
    records.push(directoryRecord(header, entry, headerAt))
  }
  const offset = sumOf(parts)
  const sizeBytes = sumOf(records)
  const facts = {
    disk: 0,
    directoryDisk: 0,
    entriesHere: entries.length,
    entries: entries.length,
    sizeBytes,
    offset,
  }
  parts.push(...records, frame.between ?? new Uint8Array())
  if (frame.zip64) parts.push(zip64End({ ...facts, recordAt: sumOf(parts), ...frame.zip64 }))
  parts.push(end({ ...facts, ...frame.end }, frame.comment ?? new Uint8Array()))
  return new Uint8Array(Buffer.concat(parts))
}

/** A zip64 extra field with these 64-bit values. */
export function zip64Extra(...values: readonly number[]): Uint8Array {
  return fields([2, 1], [2, values.length * 8], ...values.map((value): Field => [8, value]))
}

function packEntry(entry: BuiltEntry): { packed: Uint8Array; header: Required<BuiltHeader> } {
  const content =
    typeof entry.content === 'string' ? Buffer.from(entry.content) : (entry.content ?? new Uint8Array())
  const method = entry.method ?? 0
  const packed = entry.packed ?? (method === 8 ? deflateRawSync(content) : content)
  return {
    packed,
    header: {
      name: entry.name,
      method,
      flags: entry.flags ?? 1 << 11,
      crc32: entry.crc32 ?? crc32(content),
      sizeBytes: entry.sizeBytes ?? content.length,
      compressedBytes: entry.compressedBytes ?? packed.length,
      extra: entry.extra ?? new Uint8Array(),
    },
  }
}

function localHeader(header: Required<BuiltHeader>, signature = 0x04034b50): Uint8Array {
  const name = nameBytes(header.name)
  return Buffer.concat([
    fields([4, signature], [2, 20], ...contentFields(header), [2, name.length], [2, header.extra.length]),
    name,
    header.extra,
  ])
}

function directoryRecord(header: Required<BuiltHeader>, entry: BuiltEntry, headerAt: number): Uint8Array {
  const name = nameBytes(header.name)
  return Buffer.concat([
    fields([4, 0x02014b50], [2, 0x031e], [2, 20], ...contentFields(header)),
    fields([2, name.length], [2, header.extra.length], [2, 0], [2, entry.disk ?? 0], [2, 0]),
    fields([4, entry.externalAttributes ?? unixMode(0o100644)], [4, headerAt]),
    name,
    header.extra,
  ])
}

function contentFields(header: Required<BuiltHeader>): readonly Field[] {
  const { flags, method, crc32: sum, compressedBytes, sizeBytes } = header
  return [
    [2, flags],
    [2, method],
    [2, 0],
    [2, 0x21],
    [4, sum],
    [4, compressedBytes],
    [4, sizeBytes],
  ]
}

function end(facts: Required<BuiltEnd>, comment: Uint8Array): Uint8Array {
  const { disk, directoryDisk, entriesHere, entries, sizeBytes, offset } = facts
  return Buffer.concat([
    fields([4, 0x06054b50], [2, disk], [2, directoryDisk], [2, entriesHere], [2, entries]),
    fields([4, sizeBytes], [4, offset], [2, comment.length]),
    comment,
  ])
}

function zip64End(
  facts: Required<BuiltEnd> & {
    readonly recordAt: number
    readonly signature?: number
    readonly disks?: number
  },
): Uint8Array {
  const { disk, directoryDisk, entriesHere, entries, sizeBytes, offset } = facts
  return Buffer.concat([
    fields([4, facts.signature ?? 0x06064b50], [8, 44], [2, 45], [2, 45], [4, disk], [4, directoryDisk]),
    fields([8, entriesHere], [8, entries], [8, sizeBytes], [8, offset]),
    fields([4, 0x07064b50], [4, 0], [8, facts.recordAt], [4, facts.disks ?? 1]),
  ])
}

type Field = readonly [bytes: 2 | 4 | 8, value: number]

function fields(...list: readonly Field[]): Uint8Array {
  const buffer = Buffer.alloc(list.reduce((sum, [bytes]) => sum + bytes, 0))
  let at = 0
  for (const [bytes, value] of list) {
    if (bytes === 8) buffer.writeBigUInt64LE(BigInt(value), at)
    else buffer.writeUIntLE(value, at, bytes)
    at += bytes
  }
  return buffer
}

function nameBytes(name: string | Uint8Array): Uint8Array {
  return typeof name === 'string' ? Buffer.from(name) : name
}

function sumOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0)
}
