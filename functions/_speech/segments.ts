/** A stretch of speech. */
export interface Segment {
  readonly startSeconds: number
  readonly endSeconds: number
}

/** When sound counts as speech. */
export interface SegmentOptions {
  /** The probability from which speech begins; it goes on down to 0.15 below. */
  readonly threshold: number
  /** A shorter stretch of speech is left out. */
  readonly minSpeechSeconds: number
  /** A shorter silence does not end speech. */
  readonly minSilenceSeconds: number
}

/** How long the sound is that one probability tells of. */
const windowSeconds = 512 / 16_000

/** Finds the stretches of speech among the probabilities of one window after the other. */
export function segmentsOf(probabilities: readonly number[], options: SegmentOptions): Segment[] {
  const { threshold, minSpeechSeconds, minSilenceSeconds } = options
  const stretches: { start: number; end: number }[] = []
  let isSpeech = false
  for (const [index, probability] of probabilities.entries()) {
    isSpeech = probability >= (isSpeech ? threshold - 0.15 : threshold)
    if (!isSpeech) continue
    const last = stretches.at(-1)
    const goesOn =
      last !== undefined && (index === last.end || (index - last.end) * windowSeconds < minSilenceSeconds)
    if (goesOn) last.end = index + 1
    else stretches.push({ start: index, end: index + 1 })
  }
  return stretches
    .filter(({ start, end }) => (end - start) * windowSeconds >= minSpeechSeconds)
    .map(({ start, end }) => ({ startSeconds: toSeconds(start), endSeconds: toSeconds(end) }))
}

/** A table of all segments, one a line. */
export function toCsv(
  sounds: readonly { readonly name: string; readonly segments: readonly Segment[] }[],
): string {
  const lines = sounds.flatMap(({ name, segments }) =>
    segments.map(({ startSeconds, endSeconds }) => [quoted(name), startSeconds, endSeconds]),
  )
  return [['file', 'start_seconds', 'end_seconds'], ...lines].map((cells) => `${cells.join(',')}\n`).join('')
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`
}

function toSeconds(windows: number): number {
  return Math.round(windows * windowSeconds * 1000) / 1000
}
