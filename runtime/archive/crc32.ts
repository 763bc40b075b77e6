const sliceBytes = 8
const tables = makeTables()

/**
 * The CRC-32 that zip archives use, as an unsigned number. Given the value of what came before, it goes on
 * from there, so that a stream is summed chunk by chunk.
 */
export function crc32(bytes: Uint8Array, previous = 0): number {
  const slicedLength = bytes.length - (bytes.length % sliceBytes)
  let sum = ~previous
  let at = 0
  for (; at < slicedLength; at += sliceBytes) {
    sum ^=
      byteAt(bytes, at) |
      (byteAt(bytes, at + 1) << 8) |
      (byteAt(bytes, at + 2) << 16) |
      (byteAt(bytes, at + 3) << 24)
    sum =
      lookUp(7, sum) ^
      lookUp(6, sum >>> 8) ^
      lookUp(5, sum >>> 16) ^
      lookUp(4, sum >>> 24) ^
      lookUp(3, byteAt(bytes, at + 4)) ^
      lookUp(2, byteAt(bytes, at + 5)) ^
      lookUp(1, byteAt(bytes, at + 6)) ^
      lookUp(0, byteAt(bytes, at + 7))
  }
  for (; at < bytes.length; at += 1) sum = lookUp(0, sum ^ byteAt(bytes, at)) ^ (sum >>> 8)
  return ~sum >>> 0
}

function byteAt(bytes: Uint8Array, index: number): number {
  return bytes[index] as number
}

function lookUp(table: number, value: number): number {
  return tables[(table << 8) | (value & 0xff)] as number
}

/** Table n holds what a byte adds to the sum when n more bytes follow it: eight bytes are then one step. */
function makeTables(): Int32Array {
  const made = new Int32Array(sliceBytes * 256)
  for (let byte = 0; byte < 256; byte += 1) {
    let sum = byte
    for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1
    made[byte] = sum
  }
  for (let index = 256; index < made.length; index += 1) {
    const before = made[index - 256] as number
    made[index] = (made[before & 0xff] as number) ^ (before >>> 8)
  }
  return made
}
