/** One channel of sound. */
export interface Sound {
  readonly samples: Float32Array
  readonly sampleRateHz: number
}

/** The mean of several channels of one length. */
export function mixChannels(channels: readonly Float32Array[]): Float32Array {
  const [first] = channels
  if (first === undefined) return new Float32Array()
  return first.map(
    (_, index) => channels.reduce((sum, channel) => sum + (channel[index] ?? 0), 0) / channels.length,
  )
}

/** Zero crossings of the filter on either side, in samples of the slower rate. */
const filterReach = 16

/**
 * Brings sound to another rate: band-limited interpolation by a windowed sinc, so that nothing above half of the
 * slower rate is folded back into what can be heard.
 *
 * Source: J. O. Smith, "Digital Audio Resampling Home Page", Hann window.
 */
export function resample({ samples, sampleRateHz }: Sound, toRateHz: number): Float32Array {
  if (sampleRateHz === toRateHz) return samples.slice()
  const ratio = toRateHz / sampleRateHz
  const cutoff = Math.min(1, ratio)
  const reach = filterReach / cutoff
  const result = new Float32Array(Math.round(samples.length * ratio))
  for (let index = 0; index < result.length; index += 1) {
    const centre = index / ratio
    const last = Math.min(samples.length - 1, Math.floor(centre + reach))
    let [sum, total] = [0, 0]
    for (let position = Math.max(0, Math.ceil(centre - reach)); position <= last; position += 1) {
      const weight = kernel((position - centre) * cutoff)
      sum += weight * (samples[position] ?? 0)
      total += weight
    }
    result[index] = total === 0 ? 0 : clamp(sum / total)
  }
  return result
}

/** What a function takes as samples: numbers from -1 to 1 with four digits, and no more than it takes. */
export function toSamples(sound: Float32Array, maxSamples: number | null): number[] {
  const wanted = maxSamples === null ? sound : sound.subarray(0, maxSamples)
  return Array.from(wanted, (sample) => Math.round(clamp(sample) * 10_000) / 10_000)
}

/** The lowest and highest sample of each of `columns` parts, for a drawing of the wave. */
export function peaksOf(samples: ArrayLike<number>, columns: number): readonly (readonly [number, number])[] {
  return Array.from({ length: columns }, (_, column) => {
    const start = Math.floor((column * samples.length) / columns)
    const end = Math.max(start + 1, Math.floor(((column + 1) * samples.length) / columns))
    let [low, high] = [0, 0]
    for (let index = start; index < Math.min(end, samples.length); index += 1) {
      low = Math.min(low, samples[index] ?? 0)
      high = Math.max(high, samples[index] ?? 0)
    }
    return [low, high]
  })
}

function kernel(x: number): number {
  if (Math.abs(x) >= filterReach) return 0
  const window = 0.5 + 0.5 * Math.cos((Math.PI * x) / filterReach)
  return x === 0 ? 1 : (window * Math.sin(Math.PI * x)) / (Math.PI * x)
}

function clamp(sample: number): number {
  return Math.max(-1, Math.min(1, sample))
}
