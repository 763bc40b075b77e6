import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import characters from '../../functions/_ocr/characters.json' with { type: 'json' }
import { orientationsOf } from '../../functions/_ocr/orientation.ts'
import { groupStrips, stripsOf } from '../../functions/_ocr/strip.ts'
import { transcribe } from '../../functions/_ocr/transcript.ts'

const alphabet = ['', ...characters, ' ']

/** What the model gives that is sure of one class a step; a space in the second list of a step lies under it. */
function classesOf(...lines: readonly (readonly (readonly [string, number?])[])[]) {
  const steps = lines[0]?.length ?? 0
  const data = new Float32Array(lines.length * steps * alphabet.length)
  for (const [line, shown] of lines.entries()) {
    for (const [step, [character, space = 0]] of shown.entries()) {
      const start = (line * steps + step) * alphabet.length
      data[start + alphabet.length - 1] = space
      data[start + alphabet.indexOf(character)] = 0.8
    }
  }
  return { data, dims: [lines.length, steps, alphabet.length] }
}

const nothing: readonly [string] = ['']

describe('the text in what the recognition model gives', () => {
  it('has what is seen several times in a row once, and twice where nothing lies between', () => {
    const [first, second] = transcribe(
      classesOf([['l'], ['l'], nothing, ['l'], ['o'], ['o']], [nothing, ['A'], [' '], [' '], ['z'], nothing]),
    )
    expect(first).toEqual({ text: 'llo', score: expect.closeTo(0.8, 5) })
    expect(second).toEqual({ text: 'A z', score: expect.closeTo(0.8, 5) })
  })

  it('is empty, and not sure, where nothing is seen', () => {
    expect(transcribe(classesOf([nothing, nothing]))).toEqual([{ text: '', score: 0 }])
    expect(transcribe({ data: new Float32Array(0), dims: [0, 10, alphabet.length] })).toEqual([])
  })

  it('has a space that lies under nothing between words, once, and none at its ends', () => {
    const read = (...steps: (readonly [string, number?])[]) => transcribe(classesOf(steps))[0]?.text
    expect(read(['a'], ['', 0.02], ['b'])).toBe('a b')
    expect(read(['a'], ['', 0.001], ['b'])).toBe('ab')
    expect(read(['', 0.3], ['a'], ['', 0.3])).toBe('a')
    expect(read(['a'], ['', 0.3], [' '], ['', 0.3], ['b'])).toBe('a b')
    expect(read(['a'], ['', 0.3], ['a'])).toBe('a a')
  })

  it('has none beside scripts that write none', () => {
    expect(transcribe(classesOf([['诚'], ['', 0.3], ['娇']]))[0]?.text).toBe('诚娇')
  })

  it('is refused where the classes are not those of the dictionary', () => {
    expect(() => transcribe({ data: new Float32Array(10), dims: [1, 1, 10] })).toThrow(
      /tells 10 classes apart/,
    )
    expect(new Set(alphabet).size).toBe(6_625)
  })
})

describe('the orientation of lines', () => {
  it('is by half where the model is sure of it', () => {
    const data = Float32Array.from([0.9, 0.1, 0.2, 0.8, 0.05, 0.95])
    expect(orientationsOf({ data, dims: [3, 2] }).map(({ degrees }) => degrees)).toEqual([0, 0, 180])
    expect(orientationsOf({ data, dims: [3, 2] })[1]?.score).toBeCloseTo(0.8, 5)
  })
})

describe('lines that are read together', () => {
  const size = fc.record({
    width: fc.integer({ min: 1, max: 9_000 }),
    height: fc.integer({ min: 1, max: 300 }),
  })

  it('are each in one group, of like width, few enough', () => {
    fc.assert(
      fc.property(fc.array(size, { maxLength: 60 }), (lines) => {
        const groups = groupStrips(lines)
        const all = groups.flatMap(({ indexes }) => indexes).sort((a, b) => a - b)
        expect(all).toEqual([...lines.keys()])
        for (const { indexes, width } of groups) {
          expect(indexes.length).toBeLessThanOrEqual(8)
          expect(width % 32).toBe(0)
          expect(width).toBeGreaterThanOrEqual(320)
          expect(width).toBeLessThanOrEqual(3_200)
          for (const index of indexes) {
            const { width: columns = 0, height = 1 } = lines[index] ?? {}
            expect(Math.min(3_200, Math.ceil((48 * columns) / height))).toBeLessThanOrEqual(width)
          }
        }
      }),
    )
  })

  it('are brought to 48 rows and shades from -1 to 1, and filled up with grey', () => {
    const white = { width: 20, height: 10, pixels: new Uint8Array(600).fill(255) }
    const black = { width: 40, height: 10, pixels: new Uint8Array(1_200) }
    const { data, dims } = stripsOf([white, black], 192)
    expect(dims).toEqual([2, 3, 48, 192])
    const at = (line: number, plane: number, row: number, column: number) =>
      data[((line * 3 + plane) * 48 + row) * 192 + column]
    expect([at(0, 0, 0, 0), at(0, 2, 47, 95), at(0, 0, 0, 96)]).toEqual([1, 1, 0])
    expect([at(1, 1, 20, 0), at(1, 1, 20, 191)]).toEqual([-1, -1])
  })

  it('are squeezed where they are wider than a run', () => {
    const long = { width: 5_000, height: 10, pixels: new Uint8Array(150_000).fill(255) }
    expect(stripsOf([long], 320).data.every((value) => value === 1)).toBe(true)
  })
})
