import { IsoplexError } from '../../error/error.ts'

/** A part of a file, in bytes: from `start` to before `end`. Never empty. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** A chunk's place in a file, as its header `Content-Range` says. */
export interface ChunkPlace extends ByteRange {
  readonly totalBytes: number
}

/**
 * Reads the header `Range` (RFC 9110, section 14.2) for a file of some bytes. Several ranges, other units and what is
 * not well made are passed over, as the RFC has it: `null`, the whole file is meant.
 *
 * @throws {IsoplexError} `RANGE_UNSATISFIABLE`
 */
export function parseRange(header: string | null, sizeBytes: number): ByteRange | null {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/i.exec(header?.trim() ?? '') ?? []
  if (first === '' && last === '') return null
  if (first !== '' && last !== '' && Number(last) < Number(first)) return null
  const start = first === '' ? Math.max(0, sizeBytes - Number(last)) : Number(first)
  const end = first === '' || last === '' ? sizeBytes : Math.min(sizeBytes, Number(last) + 1)
  if (start < end) return { start, end }
  throw new IsoplexError(
    'RANGE_UNSATISFIABLE',
    `The artifact has ${sizeBytes} bytes; the range begins after them.`,
    {
      details: { sizeBytes },
    },
  )
}

/** Reads `Content-Range: bytes 0-9/20` of a chunk; `null` where it is not well made. */
export function parseContentRange(header: string | null): ChunkPlace | null {
  const [, first, last, total] = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/i.exec(header?.trim() ?? '') ?? []
  const [start, end, totalBytes] = [Number(first), Number(last) + 1, Number(total)]
  return start < end && end <= totalBytes ? { start, end, totalBytes } : null
}
