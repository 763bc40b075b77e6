/**
 * The words of a line as a POSIX shell takes them, and `shlex.split` of Python: blanks part them, quotes and backslashes
 * keep blanks together; nothing is expanded, and `#` begins no comment.
 *
 * @throws {TypeError} where a quote is not closed, or the line ends with a backslash.
 */
export function splitShellWords(line: string): readonly string[] {
  const words: string[] = []
  let word: string | null = null
  let quote: string | null = null
  for (let index = 0; index < line.length; index++) {
    const character = line.charAt(index)
    if (quote === null && /\s/.test(character)) {
      if (word !== null) words.push(word)
      word = null
      continue
    }
    word ??= ''
    if (character === quote) quote = null
    else if (quote === null && (character === '"' || character === "'")) quote = character
    else if (character === '\\' && quote !== "'") {
      const next = line.charAt(index + 1)
      if (next === '') throw new TypeError('The line ends with a backslash.')
      // Between double quotes a backslash escapes only what would mean something there.
      word += quote === null || next === '"' || next === '\\' ? next : character + next
      index += 1
    } else word += character
  }
  if (quote !== null) throw new TypeError(`The quote ${quote} is not closed.`)
  return word === null ? words : [...words, word]
}
