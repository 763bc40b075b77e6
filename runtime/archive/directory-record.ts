import { toLength, viewOf } from './binary.ts'
import { assertSafeName, decodeName } from './entry-name.ts'
import { archiveRefusal, quoteName } from './refusal.ts'

/** How an entry is packed. */
export type ArchiveMethod = 'stored' | 'deflated'

/** One record of the central directory, checked as far as it can be by itself. */
export interface DirectoryRecord {
  readonly name: string
  readonly nameBytes: Uint8Array
  readonly method: ArchiveMethod
  readonly crc32: number
  readonly compressedBytes: number
  readonly sizeBytes: number
  /** Where the entry's local header begins. */
  readonly headerAt: number
}

const recordSignature = 0x02014b50
const recordBytes = 46
const zip64ExtraId = 0x0001
/** The values of a record that stand in its zip64 extra field instead where they are too large. */
const tooLarge = 0xffffffff

const methods: Readonly<Record<number, ArchiveMethod>> = Object.freeze({ 0: 'stored', 8: 'deflated' })
/** Encrypted, strongly encrypted, or with a directory that is masked for encryption. */
const encryptionFlags = (1 << 0) | (1 << 6) | (1 << 13)

const fileTypeMask = 0o170000
const linkType = 0o120000
const regularType = 0o100000
const folderType = 0o040000
const dosReparsePoint = 0x400

/**
 * Reads the records of a central directory, which must be exactly as many and fill it exactly.
 *
 * @throws {IsoplexError} `ARTIFACT_BROKEN`
 */
export function parseDirectory(bytes: Uint8Array, entries: number): readonly DirectoryRecord[] {
  const records: DirectoryRecord[] = []
  let at = 0
  while (at < bytes.length && records.length < entries) {
    if (bytes.length - at < recordBytes) throw malformed()
    const view = viewOf(bytes, at)
    if (view.getUint32(0, true) !== recordSignature) throw malformed()
    const nameEnd = recordBytes + view.getUint16(28, true)
    const extraEnd = nameEnd + view.getUint16(30, true)
    const end = extraEnd + view.getUint16(32, true)
    if (at + end > bytes.length) throw malformed()
    records.push(
      toRecord(
        view,
        bytes.subarray(at + recordBytes, at + nameEnd),
        bytes.subarray(at + nameEnd, at + extraEnd),
      ),
    )
    at += end
  }
  if (at !== bytes.length || records.length !== entries) throw malformed()
  return records
}

function toRecord(view: DataView, nameBytes: Uint8Array, extra: Uint8Array): DirectoryRecord {
  const name = decodeName(nameBytes)
  assertSafeName(name)
  assertPlainFile(name, view.getUint32(38, true))
  if (view.getUint16(34, true) !== 0) {
    throw archiveRefusal(
      'multi-disk',
      `The archive's entry ${quoteName(name)} lies on another disk; join the parts first.`,
    )
  }
  const record = {
    name,
    nameBytes,
    method: toMethod(name, view.getUint16(8, true), view.getUint16(10, true)),
    crc32: view.getUint32(16, true),
    ...toPlace(name, view, extra),
  }
  assertOwnSizes(record)
  return Object.freeze(record)
}

/** The method of a header's flags and method number. Both of an entry's headers are held to it. */
export function toMethod(name: string, flags: number, method: number): ArchiveMethod {
  if (flags & encryptionFlags) {
    throw archiveRefusal(
      'encrypted',
      `The archive's entry ${quoteName(name)} is encrypted; pack it without a password.`,
    )
  }
  const known = methods[method]
  if (known !== undefined) return known
  throw archiveRefusal(
    'method-unknown',
    `The archive's entry ${quoteName(name)} is packed with method ${method}; only stored (0) and deflate (8) are read. Pack it again with one of them.`,
  )
}

/** The upper half of the attributes is the Unix mode wherever it is set at all; the lower half is that of DOS. */
function assertPlainFile(name: string, attributes: number): void {
  const type = (attributes >>> 16) & fileTypeMask
  if (type === linkType || attributes & dosReparsePoint) {
    throw archiveRefusal(
      'link',
      `The archive's entry ${quoteName(name)} is a link; pack the file it points to in its place.`,
    )
  }
  if (type === 0 || type === regularType || (type === folderType && name.endsWith('/'))) return
  throw archiveRefusal(
    'special-file',
    `The archive's entry ${quoteName(name)} is neither a file nor a folder; pack the archive without it.`,
  )
}

function toPlace(
  name: string,
  view: DataView,
  extra: Uint8Array,
): Pick<DirectoryRecord, 'sizeBytes' | 'compressedBytes' | 'headerAt'> {
  const [sizeBytes = 0, compressedBytes = 0, headerAt = 0] = readLarge(
    name,
    [view.getUint32(24, true), view.getUint32(20, true), view.getUint32(42, true)],
    extra,
  )
  return { sizeBytes, compressedBytes, headerAt }
}

/** Takes the values that are too large for a record from its zip64 extra field, where they stand in this order. */
function readLarge(name: string, values: readonly number[], extra: Uint8Array): readonly number[] {
  if (!values.includes(tooLarge)) return values
  const field = findZip64Extra(extra)
  let at = 0
  return values.map((value) => {
    if (value !== tooLarge) return value
    if (field === undefined || field.byteLength < at + 8) {
      throw archiveRefusal(
        'directory-malformed',
        `The archive's entry ${quoteName(name)} lacks its zip64 sizes; pack it again.`,
      )
    }
    at += 8
    return toLength(field.getBigUint64(at - 8, true))
  })
}

function findZip64Extra(extra: Uint8Array): DataView | undefined {
  const view = viewOf(extra)
  for (let at = 0; at + 4 <= extra.length; ) {
    const end = at + 4 + view.getUint16(at + 2, true)
    if (end > extra.length) return undefined
    if (view.getUint16(at, true) === zip64ExtraId) return viewOf(extra.subarray(at + 4, end))
    at = end
  }
  return undefined
}

function assertOwnSizes({ name, method, sizeBytes, compressedBytes }: DirectoryRecord): void {
  const folder = name.endsWith('/')
  if ((!folder || sizeBytes === 0) && (method !== 'stored' || sizeBytes === compressedBytes)) return
  throw archiveRefusal(
    'size-mismatch',
    `The archive's entry ${quoteName(name)} cannot have ${sizeBytes} bytes packed in ${compressedBytes}; pack it again.`,
  )
}

function malformed(): Error {
  return archiveRefusal(
    'directory-malformed',
    "The archive's directory is not the list of entries that its end announces; it was damaged. Get it again.",
  )
}
