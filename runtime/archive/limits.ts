/** What an archive may cost at most. Whatever goes beyond is refused before any content is read. */
export interface ArchiveLimits {
  /** Most entries, folders included. */
  readonly maxEntries: number
  /** Most bytes of the central directory, which is read into memory whole. */
  readonly maxDirectoryBytes: number
  /** Most bytes of one entry once unpacked. */
  readonly maxEntryBytes: number
  /** Most bytes of all entries together once unpacked. */
  readonly maxTotalBytes: number
  /** Most unpacked bytes for one packed byte, asked of every entry and of the archive as a whole. */
  readonly maxRatio: number
  /** Up to this many unpacked bytes no ratio is asked, so that small files may pack as well as they like. */
  readonly ratioFloorBytes: number
}

/** The limits that hold where no others are given. */
export const archiveLimits: ArchiveLimits = Object.freeze({
  maxEntries: 4_096,
  maxDirectoryBytes: 4_194_304,
  maxEntryBytes: 17_179_869_184,
  maxTotalBytes: 17_179_869_184,
  maxRatio: 200,
  ratioFloorBytes: 16_777_216,
})
