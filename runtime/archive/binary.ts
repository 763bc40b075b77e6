/** A view on bytes, from an index on. */
export function viewOf(bytes: Uint8Array, from = 0): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset + from, bytes.length - from)
}

/** A 64-bit length as a number. One that no number holds exactly becomes one that fits no file. */
export function toLength(value: bigint): number {
  return value > Number.MAX_SAFE_INTEGER ? Number.MAX_SAFE_INTEGER : Number(value)
}
