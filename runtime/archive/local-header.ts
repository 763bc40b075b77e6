import { viewOf } from './binary.ts'
import { type ByteSource, readExactly } from './byte-source.ts'
import { type DirectoryRecord, toMethod } from './directory-record.ts'
import { archiveRefusal, quoteName } from './refusal.ts'

const headerSignature = 0x04034b50
const headerBytes = 30
/** The sum and sizes follow the content instead of standing in the header. */
const descriptorFlag = 1 << 3
const inZip64Extra = 0xffffffff

/**
 * Reads the header in front of an entry's content, holds it to say what the directory says, and gives the place
 * where the content begins.
 *
 * @throws {IsoplexError} `ARTIFACT_BROKEN`
 */
export async function readContentOffset(source: ByteSource, record: DirectoryRecord): Promise<number> {
  const { name, nameBytes, headerAt } = record
  const length = headerBytes + nameBytes.length
  const what = `the header of entry ${quoteName(name)}`
  const bytes = await readExactly(source, { offset: headerAt, length, what })
  const view = viewOf(bytes)
  if (view.getUint32(0, true) !== headerSignature) throw mismatch(name, 'has no header of its own')
  const flags = view.getUint16(6, true)
  if (toMethod(name, flags, view.getUint16(8, true)) !== record.method) {
    throw mismatch(name, 'has another method in its own header')
  }
  const sameName =
    view.getUint16(26, true) === nameBytes.length &&
    nameBytes.every((byte, index) => byte === bytes[headerBytes + index])
  if (!sameName) throw mismatch(name, 'has another name in its own header')
  const sameContent =
    (flags & descriptorFlag) !== 0 ||
    (view.getUint32(14, true) === record.crc32 &&
      [record.compressedBytes, inZip64Extra].includes(view.getUint32(18, true)) &&
      [record.sizeBytes, inZip64Extra].includes(view.getUint32(22, true)))
  if (!sameContent) throw mismatch(name, 'has another size or checksum in its own header')
  return headerAt + length + view.getUint16(28, true)
}

function mismatch(name: string, words: string): Error {
  return archiveRefusal(
    'header-mismatch',
    `The archive's entry ${quoteName(name)} ${words} than in the directory; pack the archive again.`,
  )
}
