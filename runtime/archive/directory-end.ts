import { toLength, viewOf } from './binary.ts'
import { type ByteSource, readExactly } from './byte-source.ts'
import { archiveRefusal } from './refusal.ts'

/** Where the central directory of an archive lies, and how many entries it claims. */
export interface DirectoryEnd {
  readonly entries: number
  readonly offset: number
  readonly sizeBytes: number
}

interface EndRecord extends DirectoryEnd {
  /** Where the record itself begins. */
  readonly at: number
}

const endSignature = 0x06054b50
const endBytes = 22
const longestCommentBytes = 65_535
const locatorSignature = 0x07064b50
const locatorBytes = 20
const zip64EndSignature = 0x06064b50
const zip64EndBytes = 56

/**
 * Finds the end record of an archive in its last 65,557 bytes, with its zip64 extension where there is one, and
 * holds the directory to lie whole and right before it.
 *
 * @throws {IsoplexError} `ARTIFACT_BROKEN`
 */
export async function readDirectoryEnd(source: ByteSource): Promise<DirectoryEnd> {
  const tailBytes = Math.min(source.sizeBytes, endBytes + longestCommentBytes)
  const tailAt = source.sizeBytes - tailBytes
  const tail = await readExactly(source, { offset: tailAt, length: tailBytes, what: 'its end' })
  const at = findEndRecord(tail)
  const plain = parseEndRecord(viewOf(tail, at), tailAt + at)
  const end = await extendToZip64(source, plain)
  if (end.offset + end.sizeBytes !== end.at) {
    throw archiveRefusal(
      'out-of-bounds',
      'The archive says that its directory lies elsewhere than right before its end; it was damaged, or something was put in front of it. Pack it again.',
    )
  }
  return Object.freeze({ entries: end.entries, offset: end.offset, sizeBytes: end.sizeBytes })
}

function findEndRecord(tail: Uint8Array): number {
  const view = viewOf(tail)
  for (let at = tail.length - endBytes; at >= 0; at -= 1) {
    if (view.getUint32(at, true) !== endSignature) continue
    if (at + endBytes + view.getUint16(at + 20, true) === tail.length) return at
  }
  throw archiveRefusal(
    'not-an-archive',
    'The file has no end of a zip archive: it is none, or it was cut short. Get it again.',
  )
}

function parseEndRecord(view: DataView, at: number): EndRecord {
  const entries = view.getUint16(10, true)
  assertOneDisk(view.getUint16(4, true), view.getUint16(6, true), view.getUint16(8, true), entries)
  return { at, entries, sizeBytes: view.getUint32(12, true), offset: view.getUint32(16, true) }
}

async function extendToZip64(source: ByteSource, plain: EndRecord): Promise<EndRecord> {
  const locatorAt = plain.at - locatorBytes
  if (locatorAt < 0) return plain
  const place = { offset: locatorAt, length: locatorBytes, what: 'its zip64 locator' }
  const locator = viewOf(await readExactly(source, place))
  // Values that call for zip64 without having it point beyond a file that could hold them plainly.
  if (locator.getUint32(0, true) !== locatorSignature) return plain
  const at = toLength(locator.getBigUint64(8, true))
  if (at + zip64EndBytes > locatorAt) throw malformedZip64()
  const bytes = await readExactly(source, { offset: at, length: zip64EndBytes, what: 'its zip64 end' })
  const end = parseZip64End(viewOf(bytes), at, locatorAt)
  assertOneDisk(locator.getUint32(4, true), locator.getUint32(16, true) - 1, end.entries, end.entries)
  if (
    (plain.entries !== 0xffff && plain.entries !== end.entries) ||
    (plain.sizeBytes !== 0xffffffff && plain.sizeBytes !== end.sizeBytes) ||
    (plain.offset !== 0xffffffff && plain.offset !== end.offset)
  ) {
    throw malformedZip64()
  }
  return end
}

function parseZip64End(view: DataView, at: number, locatorAt: number): EndRecord {
  const recordBytes = toLength(view.getBigUint64(4, true)) + 12
  if (view.getUint32(0, true) !== zip64EndSignature || at + recordBytes !== locatorAt) throw malformedZip64()
  const entries = toLength(view.getBigUint64(32, true))
  assertOneDisk(
    view.getUint32(16, true),
    view.getUint32(20, true),
    toLength(view.getBigUint64(24, true)),
    entries,
  )
  return {
    at,
    entries,
    sizeBytes: toLength(view.getBigUint64(40, true)),
    offset: toLength(view.getBigUint64(48, true)),
  }
}

function assertOneDisk(disk: number, directoryDisk: number, entriesHere: number, entries: number): void {
  if (disk === 0 && directoryDisk === 0 && entriesHere === entries) return
  throw archiveRefusal(
    'multi-disk',
    'The archive is one part of several; join the parts into one archive first.',
  )
}

function malformedZip64(): Error {
  return archiveRefusal(
    'directory-malformed',
    "The archive's zip64 end does not fit the rest of it; pack it again.",
  )
}
