const sampleRate = 16_000

/**
 * Vowel-like sound: a buzz at a gliding pitch, shaped by the resonances of a mouth, 16,000 samples a second. In
 * each half second it is silent for the first 0.15 s.
 */
export function vowels(seconds: number): number[] {
  const resonances = [
    { hertz: 730, width: 90 },
    { hertz: 1_090, width: 110 },
    { hertz: 2_440, width: 160 },
  ]
  const filters = resonances.map(({ hertz, width }) => {
    const radius = Math.exp((-Math.PI * width) / sampleRate)
    return { a: 2 * radius * Math.cos((2 * Math.PI * hertz) / sampleRate), b: -radius * radius, y1: 0, y2: 0 }
  })
  let phase = 0
  return Array.from({ length: Math.round(seconds * sampleRate) }, (_, index) => {
    const time = index / sampleRate
    phase += (120 + 30 * Math.sin(2 * Math.PI * 3 * time)) / sampleRate
    const pulse = phase >= 1 ? 1 : 0
    phase %= 1
    const voiced = time % 0.5 > 0.15 ? 1 : 0
    let sound = pulse * voiced
    for (const filter of filters) {
      const next = sound + filter.a * filter.y1 + filter.b * filter.y2
      filter.y2 = filter.y1
      filter.y1 = next
      sound = next
    }
    return Math.max(-1, Math.min(1, sound * 0.002))
  })
}
