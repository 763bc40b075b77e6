import characters from './characters.json' with { type: 'json' }
import type { Numbers } from './numbers.ts'

/** A line that was read. */
export interface Transcript {
  readonly text: string
  /** The mean of how sure it is of each character, 0 to 1; 0 where there is none. */
  readonly score: number
}

/** What the classes of the recognition model stand for: nothing, the characters of its dictionary, a space. */
const alphabet: readonly string[] = ['', ...characters, ' ']

/**
 * From which share on a space that lies under nothing counts. The model was trained on much text without spaces, and
 * rather sees nothing than a space: between words the share of the space is 0.007 and more, within them hardly ever 0.002.
 */
const hiddenSpaceShare = 0.005
/** Scripts that put no spaces between words. */
const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u

/**
 * Reads what the recognition model gave for some lines: from left to right, how likely each class is. Of what is seen
 * several times in a row one is taken, and nothing of class 0 (Graves et al., "Connectionist Temporal Classification",
 * 2006, best path decoding), but for spaces that it hides.
 *
 * @throws {TypeError} where the classes are not those of the dictionary.
 */
export function transcribe({ data, dims }: Numbers): Transcript[] {
  const [lines = 0, steps = 0, classes = 0] = dims
  if (classes !== alphabet.length) {
    throw new TypeError(`The model tells ${classes} classes apart; its dictionary has ${alphabet.length}.`)
  }
  return Array.from({ length: lines }, (_, line) => {
    const start = line * steps * classes
    return transcribeLine(data.subarray(start, start + steps * classes))
  })
}

function transcribeLine(data: Float32Array): Transcript {
  let text = ''
  let [sum, count, last, space] = [0, 0, 0, 0]
  for (let start = 0; start < data.length; start += alphabet.length) {
    const label = likeliest(data, start)
    const character = alphabet[label] as string
    if (character === '') space = Math.max(space, data[start + alphabet.length - 1] as number)
    else if (label !== last) {
      text += space >= hiddenSpaceShare && isWordGap(text, character) ? ` ${character}` : character
      sum += data[start + label] as number
      count += 1
      space = 0
    }
    last = label
  }
  return { text, score: count === 0 ? 0 : sum / count }
}

/** Whether a space may stand between a text and what follows it. */
function isWordGap(text: string, next: string): boolean {
  const before = text.at(-1) ?? ' '
  return before !== ' ' && next !== ' ' && !unspaced.test(before + next)
}

/** The likeliest of the classes from a start on. */
function likeliest(data: Float32Array, start: number): number {
  let best = start
  for (let at = start + 1; at < start + alphabet.length; at += 1) {
    if ((data[at] as number) > (data[best] as number)) best = at
  }
  return best - start
}
