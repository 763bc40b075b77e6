import fc from 'fast-check'
import { expect, it } from 'vitest'
import { splitShellWords } from '../../runtime/deploy/shell-words.ts'

// What shlex.split of CPython 3.11 gives.
it.each<readonly [string, readonly string[]]>([
  ['', []],
  ['  a \t b  ', ['a', 'b']],
  [`--find-links "a b"/c 'd "e'`, ['--find-links', 'a b/c', 'd "e']],
  [String.raw`a\ b "c\"d" 'e\f' "g\h"`, ['a b', 'c"d', String.raw`e\f`, String.raw`g\h`]],
  [`'' "" x`, ['', '', 'x']],
  ['--extra # not a comment', ['--extra', '#', 'not', 'a', 'comment']],
])('splits %j', (line, words) => {
  expect(splitShellWords(line)).toEqual(words)
})

it.each(['"open', "it's", 'end\\'])('refuses %j', (line) => {
  expect(() => splitShellWords(line)).toThrow(TypeError)
})

it('gives back every list of words that was quoted', () => {
  const quoted = (word: string): string => `'${word.replaceAll("'", `'"'"'`)}'`
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' })), (words) => {
      expect(splitShellWords(words.map(quoted).join(' '))).toEqual(words)
    }),
  )
})
