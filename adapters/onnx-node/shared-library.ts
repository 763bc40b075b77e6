import { closeSync, openSync, readSync } from 'node:fs'

/** What a shared library asks the loader for. */
export interface SharedLibraryNeeds {
  /** The names of the libraries that it needs, in its own order. */
  readonly libraries: readonly string[]
  /** The folders where it has the loader look too, as written: `$ORIGIN` is the library's own. */
  readonly searchPath: readonly string[]
}

const programHeaderTypes = { load: 1, dynamic: 2 } as const
const dynamicTags = { needed: 1, stringTable: 5, stringTableSize: 10, rpath: 15, runpath: 29 } as const
const sectionLimitBytes = 64 * 1024 * 1024

interface Segment {
  readonly type: number
  readonly offset: number
  readonly address: number
  readonly length: number
}

/**
 * Reads from an ELF file what it needs, without loading it: a few small reads, however large the file is.
 * `null` where the file is not there or is no 64-bit little-endian ELF file.
 */
export function readSharedLibraryNeeds(path: string): SharedLibraryNeeds | null {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch {
    return null
  }
  try {
    return readNeeds((offset, length) => readBytes(file, offset, length))
  } catch {
    // A damaged file is one whose needs are not known.
    return null
  } finally {
    closeSync(file)
  }
}

function readNeeds(read: (offset: number, length: number) => DataView): SharedLibraryNeeds | null {
  const header = read(0, 64)
  const magicAndClass = header.getUint32(0) === 0x7f454c46 && header.getUint16(4) === 0x0201
  if (!magicAndClass) return null
  const segments = readSegments(read, header)
  const dynamic = segments.find(({ type }) => type === programHeaderTypes.dynamic)
  if (dynamic === undefined) return null
  const entries = readDynamicEntries(read(dynamic.offset, dynamic.length))
  const valueFor = (tag: number): number => entries.find((entry) => entry.tag === tag)?.value ?? 0
  const address = valueFor(dynamicTags.stringTable)
  const home = segments.find(
    (segment) =>
      segment.type === programHeaderTypes.load &&
      segment.address <= address &&
      address < segment.address + segment.length,
  )
  if (home === undefined) return null
  const strings = read(address - home.address + home.offset, valueFor(dynamicTags.stringTableSize))
  const textsFor = (...tags: readonly number[]): string[] =>
    entries.filter(({ tag }) => tags.includes(tag)).map(({ value }) => textAt(strings, value))
  return {
    libraries: textsFor(dynamicTags.needed),
    searchPath: textsFor(dynamicTags.rpath, dynamicTags.runpath).flatMap((path) => path.split(':')),
  }
}

function readSegments(read: (offset: number, length: number) => DataView, header: DataView): Segment[] {
  const size = header.getUint16(54, true)
  const count = header.getUint16(56, true)
  const table = read(integerAt(header, 32), size * count)
  return Array.from({ length: count }, (_, index) => {
    const start = index * size
    return {
      type: table.getUint32(start, true),
      offset: integerAt(table, start + 8),
      address: integerAt(table, start + 16),
      length: integerAt(table, start + 32),
    }
  })
}

function readDynamicEntries(table: DataView): { readonly tag: number; readonly value: number }[] {
  return Array.from({ length: Math.floor(table.byteLength / 16) }, (_, index) => ({
    tag: integerAt(table, index * 16),
    value: integerAt(table, index * 16 + 8),
  }))
}

function textAt(strings: DataView, start: number): string {
  const bytes = new Uint8Array(strings.buffer, strings.byteOffset, strings.byteLength)
  return new TextDecoder().decode(bytes.subarray(start, bytes.indexOf(0, start)))
}

function integerAt(view: DataView, offset: number): number {
  return Number(view.getBigUint64(offset, true))
}

function readBytes(file: number, offset: number, length: number): DataView {
  if (length > sectionLimitBytes) throw new RangeError('A section is larger than any that names libraries.')
  const bytes = new Uint8Array(length)
  if (readSync(file, bytes, 0, length, offset) !== length) throw new RangeError('The file ends early.')
  return new DataView(bytes.buffer)
}
