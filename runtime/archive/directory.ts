import { type ByteSource, readExactly } from './byte-source.ts'
import { readDirectoryEnd } from './directory-end.ts'
import { type ArchiveMethod, type DirectoryRecord, parseDirectory } from './directory-record.ts'
import { assertDistinctNames } from './entry-name.ts'
import { type ArchiveLimits, archiveLimits } from './limits.ts'
import { readContentOffset } from './local-header.ts'
import { archiveRefusal, quoteName } from './refusal.ts'

/** A file in an archive. */
export interface ArchiveEntry {
  /** A relative path below the place of unpacking, with slashes. */
  readonly name: string
  /** Its bytes once unpacked. */
  readonly sizeBytes: number
  readonly compressedBytes: number
  readonly method: ArchiveMethod
  /** The CRC-32 of its unpacked bytes, unsigned. */
  readonly crc32: number
  /** Where its packed bytes begin in the archive. */
  readonly offset: number
}

/**
 * Reads what a zip archive holds and refuses it unless all of it can be unpacked safely. It reads the directory
 * and the header of each entry, none of the contents, and keeps no more in memory than the directory.
 *
 * The entries are its files in the order of their bytes; folders are checked but not listed, since the names
 * imply them. No two entries share a byte of the archive, no two names a place on disk.
 *
 * @throws {IsoplexError} `ARTIFACT_BROKEN` with an `ArchiveReason` in its details.
 */
export async function readDirectory(
  source: ByteSource,
  limits: ArchiveLimits = archiveLimits,
): Promise<readonly ArchiveEntry[]> {
  const end = await readDirectoryEnd(source)
  assertAtMost('entries-too-many', 'entries', end.entries, limits.maxEntries)
  assertAtMost('directory-too-large', 'bytes of directory', end.sizeBytes, limits.maxDirectoryBytes)
  const place = { offset: end.offset, length: end.sizeBytes, what: 'its directory' }
  const records = parseDirectory(await readExactly(source, place), end.entries)
  assertSizes(records, source.sizeBytes, limits)
  assertDistinctNames(records.map(({ name }) => name))
  const entries = await locateContents(source, records, end.offset)
  return Object.freeze(entries.filter(({ name }) => !name.endsWith('/')))
}

function assertAtMost(
  reason: 'entries-too-many' | 'directory-too-large' | 'total-too-large',
  what: string,
  count: number,
  most: number,
): void {
  if (count <= most) return
  throw archiveRefusal(
    reason,
    `The archive has ${count} ${what}, more than the ${most} that are taken; pack less into one archive.`,
  )
}

function assertSizes(records: readonly DirectoryRecord[], archiveBytes: number, limits: ArchiveLimits): void {
  let totalBytes = 0
  for (const { name, sizeBytes, compressedBytes } of records) {
    if (sizeBytes > limits.maxEntryBytes) {
      throw archiveRefusal(
        'entry-too-large',
        `The archive's entry ${quoteName(name)} has ${sizeBytes} bytes, more than the ${limits.maxEntryBytes} that are taken.`,
      )
    }
    assertRatio(`entry ${quoteName(name)}`, sizeBytes, compressedBytes, limits)
    totalBytes += sizeBytes
  }
  assertAtMost('total-too-large', 'bytes in all', totalBytes, limits.maxTotalBytes)
  assertRatio('content', totalBytes, archiveBytes, limits)
}

function assertRatio(what: string, sizeBytes: number, packedBytes: number, limits: ArchiveLimits): void {
  if (sizeBytes <= limits.ratioFloorBytes || sizeBytes <= packedBytes * limits.maxRatio) return
  throw archiveRefusal(
    'ratio-too-high',
    `The archive's ${what} grows from ${packedBytes} to ${sizeBytes} bytes, more than ${limits.maxRatio} times; if that is right, pack it stored instead of deflated.`,
  )
}

/** Finds where each content lies, in the order of the archive, so that overlapping ones meet as neighbours. */
async function locateContents(
  source: ByteSource,
  records: readonly DirectoryRecord[],
  directoryAt: number,
): Promise<readonly ArchiveEntry[]> {
  const entries: ArchiveEntry[] = []
  let freeFrom = 0
  for (const record of records.toSorted((a, b) => a.headerAt - b.headerAt)) {
    const { name, sizeBytes, compressedBytes, method, crc32, headerAt } = record
    if (headerAt < freeFrom) {
      throw archiveRefusal(
        'entries-overlap',
        `The archive's entry ${quoteName(name)} shares bytes with another entry; pack the archive again.`,
      )
    }
    const offset = await readContentOffset(source, record)
    freeFrom = offset + compressedBytes
    if (freeFrom > directoryAt) {
      throw archiveRefusal(
        'out-of-bounds',
        `The archive's entry ${quoteName(name)} does not end before the directory; the archive was cut short or damaged. Get it again.`,
      )
    }
    entries.push(Object.freeze({ name, sizeBytes, compressedBytes, method, crc32, offset }))
  }
  return entries
}
