import { type ArchiveReason, archiveRefusal, quoteName } from './refusal.ts'

// What file systems take: most allow 255 bytes a segment, and a path of 4,096 bytes with the place in front.
const longestNameBytes = 1_024
const longestSegmentBytes = 255
const mostSegments = 32

const encoder = new TextEncoder()

/**
 * Reads a name as UTF-8. What is neither ASCII nor UTF-8 is refused rather than guessed at.
 *
 * @throws {IsoplexError} `ARTIFACT_BROKEN`
 */
export function decodeName(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw archiveRefusal(
      'name-encoding',
      `The archive's entry ${quoteName(new TextDecoder().decode(bytes))} has a name that is not UTF-8; pack the archive again with UTF-8 names.`,
      cause,
    )
  }
}

/**
 * Holds a name to be a relative path that stays below the place where it is unpacked, on any file system. A
 * folder's name ends with a slash.
 *
 * @throws {IsoplexError} `ARTIFACT_BROKEN`
 */
export function assertSafeName(name: string): void {
  const objection = objectionTo(name)
  if (objection === undefined) return
  const [reason, words] = objection
  throw archiveRefusal(
    reason,
    `The archive's entry ${quoteName(name)} ${words}; pack the archive without it.`,
  )
}

function objectionTo(name: string): readonly [ArchiveReason, string] | undefined {
  if (/^(?:[/\\]|[a-z]:)/i.test(name)) return ['name-absolute', 'has an absolute name']
  if (name.includes('\\')) return ['name-backslash', 'has a backslash in its name']
  if (!name.isWellFormed()) return ['name-encoding', 'has a name that is not Unicode']
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(name)) return ['name-control', 'has control characters in its name']
  if (encoder.encode(name).length > longestNameBytes) {
    return ['name-too-long', `has a name of more than ${longestNameBytes} bytes`]
  }
  const segments = name.replace(/\/$/, '').split('/')
  if (segments.length > mostSegments) return ['name-too-long', `lies more than ${mostSegments} folders deep`]
  for (const segment of segments) {
    const objection = objectionToSegment(segment)
    if (objection !== undefined) return objection
  }
  return undefined
}

function objectionToSegment(segment: string): readonly [ArchiveReason, string] | undefined {
  if (segment === '' || segment === '.') return ['name-empty', 'has an empty part in its name']
  if (segment === '..') return ['name-climbs', 'climbs out of the archive']
  if (encoder.encode(segment).length > longestSegmentBytes) {
    return ['name-too-long', `has a part of more than ${longestSegmentBytes} bytes in its name`]
  }
  // Windows drops these ends, which makes another name of it: ".. " becomes "..".
  if (/[. ]$/.test(segment)) return ['name-unportable', 'has a part that ends in a dot or a space']
  return undefined
}

/**
 * Holds names to be distinct on any file system: also where it ignores case or how a character is composed, and
 * with no file where another name needs a folder. A folder's name ends with a slash.
 *
 * @throws {IsoplexError} `ARTIFACT_BROKEN`
 */
export function assertDistinctNames(names: readonly string[]): void {
  const taken = new Map<string, string>()
  for (const name of names) {
    const key = fold(name)
    const other = taken.get(key)
    if (other !== undefined) throw clash(other, name)
    taken.set(key, name)
  }
  for (const name of names) {
    const path = fold(name).replace(/\/$/, '')
    if (name.endsWith('/') && taken.has(path)) throw clash(taken.get(path) ?? path, name)
    for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
      const file = taken.get(path.slice(0, slash))
      if (file !== undefined) throw clash(file, name)
    }
  }
}

function clash(one: string, other: string): Error {
  return archiveRefusal(
    'name-duplicate',
    `The archive's entries ${quoteName(one)} and ${quoteName(other)} are the same place on some file systems; rename one of them.`,
  )
}

/** Upper case first, since "ß" and "ss" meet only there; normalised last, since case can undo it. */
function fold(name: string): string {
  return name.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC')
}
