/** What a library of {@link sharedLibrary} says of itself. */
export interface LibraryHeader {
  readonly needed?: readonly string[]
  readonly rpath?: string
  readonly runpath?: string
}

const sizes = { header: 64, programHeader: 56, dynamicEntry: 16 } as const
const baseAddress = 0x10000

/** The bytes of a 64-bit little-endian ELF file with nothing in it but what the loader reads first. */
export function sharedLibrary({ needed = [], rpath, runpath }: LibraryHeader): Uint8Array<ArrayBuffer> {
  const entries: [tag: number, text: string][] = needed.map((name) => [1, name])
  if (rpath !== undefined) entries.push([15, rpath])
  if (runpath !== undefined) entries.push([29, runpath])
  const texts = ['', ...entries.map(([, text]) => text)]
  const offsets = texts.map((_, index) => texts.slice(0, index).join('\0').length + (index > 0 ? 1 : 0))
  const strings = new TextEncoder().encode(`${texts.join('\0')}\0`)
  const dynamicAt = sizes.header + 2 * sizes.programHeader
  const stringsAt = dynamicAt + (entries.length + 3) * sizes.dynamicEntry
  const bytes = new Uint8Array(stringsAt + strings.length)
  const view = new DataView(bytes.buffer)
  const word = (offset: number, value: number): void => view.setBigUint64(offset, BigInt(value), true)
  const dynamic = [
    ...entries.map(([tag], index) => [tag, offsets[index + 1] ?? 0]),
    [5, baseAddress + stringsAt],
    [10, strings.length],
    [0, 0],
  ]
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
  word(32, sizes.header)
  view.setUint16(54, sizes.programHeader, true)
  view.setUint16(56, 2, true)
  writeSegment(0, 1, 0, bytes.length)
  writeSegment(1, 2, dynamicAt, dynamic.length * sizes.dynamicEntry)
  dynamic.forEach(([tag = 0, value = 0], index) => {
    word(dynamicAt + index * sizes.dynamicEntry, tag)
    word(dynamicAt + index * sizes.dynamicEntry + 8, value)
  })
  bytes.set(strings, stringsAt)
  return bytes

  function writeSegment(index: number, type: number, offset: number, length: number): void {
    const start = sizes.header + index * sizes.programHeader
    view.setUint32(start, type, true)
    word(start + 8, offset)
    word(start + 16, baseAddress + offset)
    word(start + 32, length)
  }
}
