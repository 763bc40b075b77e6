import { IsoplexError } from '../error/error.ts'

/** Every reason for which an archive is refused. The list is closed. */
export const archiveReasons = Object.freeze([
  'not-an-archive',
  'truncated',
  'out-of-bounds',
  'directory-malformed',
  'directory-too-large',
  'multi-disk',
  'entries-too-many',
  'entry-too-large',
  'total-too-large',
  'ratio-too-high',
  'encrypted',
  'method-unknown',
  'link',
  'special-file',
  'name-empty',
  'name-absolute',
  'name-climbs',
  'name-backslash',
  'name-control',
  'name-encoding',
  'name-too-long',
  'name-unportable',
  'name-duplicate',
  'entries-overlap',
  'header-mismatch',
  'data-malformed',
  'size-mismatch',
  'checksum-mismatch',
] as const)

/** One of the reasons for which an archive is refused: `details.reason` of `ARTIFACT_BROKEN`. */
export type ArchiveReason = (typeof archiveReasons)[number]

/** Makes the error of a refused archive. The message says which entry, why, and what to do. */
export function archiveRefusal(
  reason: ArchiveReason,
  message: string,
  cause?: unknown,
): IsoplexError<'ARTIFACT_BROKEN'> {
  return new IsoplexError('ARTIFACT_BROKEN', message, { details: { reason }, cause })
}

const longestQuoted = 120

/** A name from an archive made fit for a message: cut to a readable length, with nothing invisible in it. */
export function quoteName(name: string): string {
  const shown = name.length > longestQuoted ? `${name.slice(0, longestQuoted)}…` : name
  return JSON.stringify(shown).replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  )
}
