const blockBytes = 64
const roundConstants = fractionsOfPrimes(64, 1 / 3)
const firstState = fractionsOfPrimes(8, 1 / 2)

/**
 * The SHA-256 of a Blob, in lower-case hexadecimal. The browser computes it where it does; pages that did not come over
 * https are not given that, so there it is computed here (FIPS 180-4, section 6.2), which takes several times as long.
 */
export async function sha256Of(blob: Blob): Promise<string> {
  if (!crypto.subtle) return hashPieces(blob)
  return toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', await blob.arrayBuffer())))
}

/** A piece at a time, so that the whole is never in memory. */
async function hashPieces(blob: Blob): Promise<string> {
  const state = firstState.slice()
  const pieceBytes = 16_384 * blockBytes
  const wholeBytes = blob.size - (blob.size % blockBytes)
  for (let at = 0; at < wholeBytes; at += pieceBytes) {
    const piece = blob.slice(at, Math.min(at + pieceBytes, wholeBytes))
    compress(state, new DataView(await piece.arrayBuffer()))
  }
  compress(state, padded(new Uint8Array(await blob.slice(wholeBytes).arrayBuffer()), blob.size))
  const digest = new DataView(new ArrayBuffer(32))
  for (const [index, word] of state.entries()) digest.setUint32(4 * index, word)
  return toHex(new Uint8Array(digest.buffer))
}

/** The rest with a one bit, zeros, and the length of all in bits. */
function padded(rest: Uint8Array, sizeBytes: number): DataView {
  const blocks = rest.length < blockBytes - 8 ? 1 : 2
  const bytes = new Uint8Array(blocks * blockBytes)
  bytes.set(rest)
  bytes[rest.length] = 0x80
  const view = new DataView(bytes.buffer)
  view.setBigUint64(bytes.length - 8, BigInt(sizeBytes) * 8n)
  return view
}

function compress(state: Int32Array, view: DataView): void {
  const schedule = new Int32Array(64)
  for (let at = 0; at < view.byteLength; at += blockBytes) {
    for (let index = 0; index < 16; index += 1) schedule[index] = view.getInt32(at + 4 * index)
    for (let index = 16; index < 64; index += 1) {
      const near = word(schedule, index - 2)
      const far = word(schedule, index - 15)
      const nearMix = turn(near, 17) ^ turn(near, 19) ^ (near >>> 10)
      const farMix = turn(far, 7) ^ turn(far, 18) ^ (far >>> 3)
      schedule[index] = word(schedule, index - 16) + farMix + word(schedule, index - 7) + nearMix
    }
    mix(state, schedule)
  }
}

function mix(state: Int32Array, schedule: Int32Array): void {
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state
  for (let round = 0; round < 64; round += 1) {
    const choice = (e & f) ^ (~e & g)
    const sum = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)
    const first = (h + sum + choice + word(roundConstants, round) + word(schedule, round)) | 0
    const majority = (a & b) ^ (a & c) ^ (b & c)
    const second = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + majority) | 0
    h = g
    g = f
    f = e
    e = (d + first) | 0
    d = c
    c = b
    b = a
    a = (first + second) | 0
  }
  for (const [index, value] of [a, b, c, d, e, f, g, h].entries()) {
    state[index] = word(state, index) + value
  }
}

function turn(value: number, bits: number): number {
  return (value >>> bits) | (value << (32 - bits))
}

function word(words: Int32Array, index: number): number {
  return words[index] as number
}

/** The first 32 bits of the fractions of a power of the first primes, which the standard takes for constants. */
function fractionsOfPrimes(count: number, power: number): Int32Array {
  const primes: number[] = []
  for (let candidate = 2; primes.length < count; candidate += 1) {
    if (primes.every((prime) => candidate % prime !== 0)) primes.push(candidate)
  }
  return Int32Array.from(primes, (prime) => Math.floor((prime ** power % 1) * 2 ** 32) | 0)
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
