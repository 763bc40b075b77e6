import { describe, expect, it } from 'vitest'
import { bytesSource } from '../../runtime/archive/byte-source.ts'
import { readDirectory } from '../../runtime/archive/directory.ts'
import { readEntry } from '../../runtime/archive/entry-content.ts'
import { archiveLimits } from '../../runtime/archive/limits.ts'
import { type ArchiveReason, archiveReasons, quoteName } from '../../runtime/archive/refusal.ts'
import {
  type BuiltEntry,
  type BuiltFrame,
  buildArchive,
  unixMode,
  zip64Extra,
} from '../support/archive-builder.ts'

const limits = {
  ...archiveLimits,
  maxEntries: 8,
  maxDirectoryBytes: 4_096,
  maxEntryBytes: 2 ** 25,
  maxTotalBytes: 2 ** 25,
}

type Refusal = readonly [reason: ArchiveReason, of: string, archive: Uint8Array]

const model: BuiltEntry = { name: 'model.onnx', content: 'weights' }
const good = buildArchive([model])
/** Where the directory of `good` begins: behind one header with its name, and its content. */
const directoryAt = 30 + 10 + 7

const entry = (reason: ArchiveReason, of: string, ...entries: readonly BuiltEntry[]): Refusal => [
  reason,
  of,
  buildArchive(entries),
]
const frame = (reason: ArchiveReason, of: string, around: BuiltFrame): Refusal => [
  reason,
  of,
  buildArchive([model], around),
]
const local = (reason: ArchiveReason, of: string, header: BuiltEntry['local']): Refusal =>
  entry(reason, of, { ...model, ...(header && { local: header }) })
const special = (reason: ArchiveReason, of: string, externalAttributes: number): Refusal =>
  entry(reason, of, { ...model, externalAttributes })
const changed = (at: number, value: number): Uint8Array => good.with(at < 0 ? good.length + at : at, value)

const large = { sizeBytes: 0xffffffff, compressedBytes: 0xffffffff }
const zeros = (name: string, sizeBytes: number): BuiltEntry => ({
  name,
  method: 8,
  content: new Uint8Array(sizeBytes),
})

const refusals: readonly Refusal[] = [
  ['not-an-archive', 'an empty file', new Uint8Array()],
  ['not-an-archive', 'bytes of another kind', new Uint8Array(70_000).fill(80)],
  ['not-an-archive', 'an end record that claims a longer comment', changed(-2, 1)],
  ['out-of-bounds', 'an archive without its first bytes', good.subarray(5)],
  ['out-of-bounds', 'bytes in front that the offsets ignore', new Uint8Array([1, ...good])],
  frame('out-of-bounds', 'a directory that points behind the file', { end: { offset: 0xfffffff0 } }),
  frame('out-of-bounds', 'a directory larger than the file', { end: { sizeBytes: 4_000 } }),
  frame('out-of-bounds', 'zip64 values without zip64', { end: { offset: 0xffffffff } }),
  frame('out-of-bounds', 'bytes between the directory and the end', { between: new Uint8Array(9) }),
  entry('out-of-bounds', 'an entry that begins behind the file', { ...model, headerAt: 9_999 }),
  entry('out-of-bounds', 'an entry that begins in the last bytes', { ...model, headerAt: 99 }),
  entry('out-of-bounds', 'an entry that runs into the directory', {
    ...model,
    compressedBytes: 20,
    sizeBytes: 20,
  }),
  frame('directory-malformed', 'fewer entries than announced', { end: { entriesHere: 3, entries: 3 } }),
  frame('directory-malformed', 'more entries than announced', { end: { entriesHere: 0, entries: 0 } }),
  ['directory-malformed', 'a record of another kind', changed(directoryAt, 1)],
  ['directory-malformed', 'a name longer than the directory', changed(directoryAt + 28, 200)],
  [
    'directory-malformed',
    'a directory that ends within a record',
    buildArchive([model], { end: { sizeBytes: 30, offset: directoryAt + 26 } }).with(directoryAt + 26, 0x50),
  ],
  entry('directory-malformed', 'a large entry without its zip64 sizes', { ...model, ...large }),
  entry('directory-malformed', 'a large entry with one zip64 size', {
    ...model,
    ...large,
    extra: zip64Extra(1),
  }),
  entry('directory-malformed', 'an extra field longer than there is', {
    ...model,
    ...large,
    extra: new Uint8Array([1, 0, 200, 0, 1, 2]),
  }),
  frame('directory-malformed', 'a zip64 end that disagrees with the plain one', { zip64: { offset: 3 } }),
  frame('directory-malformed', 'a zip64 end of another kind', { zip64: { signature: 7 } }),
  frame('directory-malformed', 'a zip64 end behind its locator', { zip64: { recordAt: 2 ** 60 } }),
  entry('directory-too-large', 'a directory of 5 KB', { ...model, extra: new Uint8Array(5_000) }),
  frame('multi-disk', 'one disk of several', { end: { disk: 1 } }),
  frame('multi-disk', 'a directory on another disk', { end: { directoryDisk: 1 } }),
  frame('multi-disk', 'entries on other disks', { end: { entries: 2 } }),
  entry('multi-disk', 'an entry on another disk', { ...model, disk: 1 }),
  frame('multi-disk', 'several disks in the zip64 locator', { zip64: { disks: 2 } }),
  frame('multi-disk', 'several disks in the zip64 end', { zip64: { disk: 1 } }),
  entry('entries-too-many', 'nine entries', ...[...'abcdefghi'].map((name) => ({ name }))),
  frame('entries-too-many', 'a claim of 60,000', { end: { entries: 60_000, entriesHere: 60_000 } }),
  frame('entries-too-many', 'a zip64 claim of 2^40', {
    end: { entries: 0xffff, entriesHere: 0xffff },
    zip64: { entries: 2 ** 40, entriesHere: 2 ** 40 },
  }),
  entry('entry-too-large', 'an entry of 2^25 + 1 bytes', { ...zeros('a', 0), sizeBytes: 2 ** 25 + 1 }),
  entry('entry-too-large', 'an entry of 2^60 bytes', {
    ...model,
    ...large,
    extra: zip64Extra(2 ** 60, 2 ** 60),
  }),
  entry(
    'total-too-large',
    'three entries of 2^24 bytes',
    ...['a', 'b', 'c'].map((name) => ({ ...zeros(name, 0), sizeBytes: 2 ** 24, compressedBytes: 2 ** 20 })),
  ),
  entry('ratio-too-high', 'an entry that grows 1,000 times', zeros('a', 2 ** 24 + 1)),
  entry(
    'ratio-too-high',
    'entries that do so together',
    zeros('a', 2 ** 23),
    zeros('b', 2 ** 23),
    zeros('c', 1),
  ),
  entry('encrypted', 'an encrypted entry', { ...model, flags: 1 }),
  entry('encrypted', 'a strongly encrypted entry', { ...model, flags: 1 << 6 }),
  entry('encrypted', 'a masked directory', { ...model, flags: 1 << 13 }),
  local('encrypted', 'an entry that only its own header calls encrypted', { flags: 1 }),
  entry('method-unknown', 'an unknown method', { ...model, method: 12 }),
  local('method-unknown', 'an unknown method in the header of the entry', { method: 99 }),
  special('link', 'a symbolic link', unixMode(0o120777)),
  special('link', 'a reparse point', 0x400),
  special('special-file', 'a character device', unixMode(0o020666)),
  special('special-file', 'a block device', unixMode(0o060666)),
  special('special-file', 'a pipe', unixMode(0o010666)),
  special('special-file', 'a socket', unixMode(0o140666)),
  special('special-file', 'a folder named as a file', unixMode(0o040755)),
  entry('entries-overlap', 'two entries with one content', model, { name: 'b', headerAt: 0 }),
  entry(
    'entries-overlap',
    'an entry around another one',
    { ...model, method: 8, compressedBytes: 40 },
    { name: 'b', content: 'x'.repeat(90) },
  ),
  local('header-mismatch', 'another name in the header of the entry', { name: 'model.exec' }),
  local('header-mismatch', 'a shorter name in the header of the entry', { name: 'm' }),
  local('header-mismatch', 'another method in the header of the entry', { method: 8 }),
  local('header-mismatch', 'another size in the header of the entry', { sizeBytes: 3 }),
  local('header-mismatch', 'another packed size in the header of the entry', { compressedBytes: 3 }),
  local('header-mismatch', 'another checksum in the header of the entry', { crc32: 3 }),
  local('header-mismatch', 'no header where the entry begins', { signature: 1 }),
  entry('size-mismatch', 'a stored entry that grows', { ...model, sizeBytes: 900 }),
  entry('size-mismatch', 'a folder with content', { name: 'folder/', content: 'x' }),
  entry('size-mismatch', 'a deflated entry with more than it declares', {
    ...model,
    method: 8,
    sizeBytes: 3,
  }),
  entry('size-mismatch', 'a deflated entry with less than it declares', {
    ...model,
    method: 8,
    sizeBytes: 9,
  }),
  entry('size-mismatch', 'a deflated entry without a byte', {
    ...model,
    method: 8,
    packed: new Uint8Array(),
  }),
  entry('checksum-mismatch', 'a stored entry with another checksum', { ...model, crc32: 1 }),
  entry('checksum-mismatch', 'a deflated entry with another checksum', { ...model, method: 8, crc32: 1 }),
  entry('data-malformed', 'no deflate stream', {
    ...model,
    method: 8,
    packed: new Uint8Array(40).fill(0xff),
  }),
  entry('data-malformed', 'a deflate stream cut short', {
    name: 'a',
    method: 8,
    packed: new Uint8Array([5, 6]),
  }),
  entry('data-malformed', 'much behind the end of a deflate stream', {
    name: 'a',
    method: 8,
    packed: new Uint8Array([3, 0, ...new Uint8Array(200_000)]),
  }),
]

async function readAll(archive: Uint8Array): Promise<void> {
  const source = bytesSource(archive)
  for (const found of await readDirectory(source, limits)) await Array.fromAsync(readEntry(source, found))
}

describe('an archive is refused as', () => {
  it.each(refusals)('%s: %s', async (reason, _of, archive) => {
    await expect(readAll(archive)).rejects.toMatchObject({
      name: 'IsoplexError',
      code: 'ARTIFACT_BROKEN',
      details: { reason },
      message: expect.stringMatching(/^The (archive|file)[^\p{C}]*\.$/u),
    })
  })

  it('truncated: a file that becomes shorter while it is read', async () => {
    const { read, sizeBytes } = bytesSource(good)
    const shrinking = { sizeBytes, read: (offset: number, length: number) => read(offset, length - 1) }
    await expect(readDirectory(shrinking)).rejects.toMatchObject({ details: { reason: 'truncated' } })
  })

  it('every reason that does not concern names', () => {
    const shown = new Set<ArchiveReason>([...refusals.map(([reason]) => reason), 'truncated'])
    const reasons = archiveReasons.filter((reason) => !reason.startsWith('name-'))
    expect([...shown].toSorted()).toEqual(reasons.toSorted())
  })
})

describe('a name in a message', () => {
  it('shows what is invisible', () => {
    expect(quoteName('a\u202eb\n\ud800')).toBe('"a\\u{202e}b\\n\\ud800"')
  })

  it('is cut to a readable length', () => {
    expect(quoteName('n'.repeat(500))).toHaveLength(123)
  })
})
