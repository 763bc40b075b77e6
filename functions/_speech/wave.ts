import { refuse } from './archive.ts'

/** Samples a second of what {@link readWave} gives. */
export const soundRate = 16_000

const longestSeconds = 1_800

/** How the samples of a WAV file are laid out. */
interface WaveFormat {
  readonly channels: number
  readonly rate: number
  /** Bytes of one sample of one channel. */
  readonly width: number
  readonly read: (view: DataView, at: number) => number
}

/** How a sample is read, by format code and bits. */
const readers: Readonly<Record<string, WaveFormat['read']>> = {
  '1/8': (view, at) => (view.getUint8(at) - 128) / 128,
  '1/16': (view, at) => view.getInt16(at, true) / 32_768,
  '1/24': (view, at) => ((view.getInt8(at + 2) << 16) | view.getUint16(at, true)) / 8_388_608,
  '1/32': (view, at) => view.getInt32(at, true) / 2_147_483_648,
  '3/32': (view, at) => view.getFloat32(at, true),
}

/**
 * The sound of a WAV file (RIFF, with PCM or floating point samples) as mono samples at 16 kHz from -1 to 1. Channels are
 * averaged; other rates are brought to 16 kHz by drawing lines between samples.
 *
 * @param name how the file is called in a refusal
 * @throws {IsoplexError} `INPUT_INVALID` where it is no such file, or has no sound or too much of it.
 */
export function readWave(bytes: Uint8Array<ArrayBuffer>, name: string): Float32Array<ArrayBuffer> {
  const fail = (why: string): never => {
    throw refuse(`The file "${name}" ${why}.`)
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 12 || textAt(bytes, 0) !== 'RIFF' || textAt(bytes, 8) !== 'WAVE') fail('is no WAV file')
  const chunks = chunksOf(view, bytes)
  const format = formatOf(chunks.get('fmt ') ?? fail('does not say how its sound is stored'))
  if (format === null) return fail('has sound of a kind that is not taken: use PCM, at 8 to 192 kHz')
  const data = chunks.get('data') ?? fail('has no sound')
  const frames = Math.floor(data.byteLength / (format.channels * format.width))
  if (frames === 0) fail('has no sound')
  if (frames / format.rate > longestSeconds) fail(`is longer than ${longestSeconds / 60} minutes`)
  return resample(data, format, frames)
}

/** The chunks by their names, the first of each; one that says it goes on beyond the file is left out. */
function chunksOf(view: DataView, bytes: Uint8Array): ReadonlyMap<string, DataView> {
  const chunks = new Map<string, DataView>()
  for (let at = 12; at + 8 <= bytes.length; ) {
    const length = view.getUint32(at + 4, true)
    if (length > bytes.length - at - 8) break
    const name = textAt(bytes, at)
    if (!chunks.has(name)) chunks.set(name, new DataView(view.buffer, view.byteOffset + at + 8, length))
    at += 8 + length + (length % 2)
  }
  return chunks
}

/** `null` where it is none that can be read. */
function formatOf(chunk: DataView): WaveFormat | null {
  if (chunk.byteLength < 16) return null
  const code = chunk.getUint16(0, true)
  const bits = chunk.getUint16(14, true)
  // The extensible format has its true code at the begin of a longer one.
  const isExtensible = code === 0xfffe && chunk.byteLength >= 26
  const read = readers[`${isExtensible ? chunk.getUint16(24, true) : code}/${bits}`]
  const channels = chunk.getUint16(2, true)
  const rate = chunk.getUint32(4, true)
  if (!read || channels < 1 || channels > 8 || rate < 8_000 || rate > 192_000) return null
  return { channels, rate, width: bits / 8, read }
}

function resample(data: DataView, format: WaveFormat, frames: number): Float32Array<ArrayBuffer> {
  const step = format.rate / soundRate
  const samples = new Float32Array(Math.ceil(frames / step))
  for (let index = 0; index < samples.length; index += 1) {
    const before = Math.floor(index * step)
    const after = Math.min(before + 1, frames - 1)
    const share = index * step - before
    const from = frameAt(data, format, before)
    samples[index] = share === 0 ? from : from + share * (frameAt(data, format, after) - from)
  }
  return samples
}

/** The mean of the channels at a moment, from -1 to 1; what is no number is silence. */
function frameAt(data: DataView, { channels, width, read }: WaveFormat, frame: number): number {
  let sum = 0
  for (let channel = 0; channel < channels; channel += 1)
    sum += read(data, (frame * channels + channel) * width)
  const mean = sum / channels
  return Number.isNaN(mean) ? 0 : Math.max(-1, Math.min(1, mean))
}

function textAt(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4))
}
