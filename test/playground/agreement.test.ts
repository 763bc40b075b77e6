import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareAnswers, tolerance } from '../../runtime/playground/agreement.ts'

describe('compareAnswers', () => {
  it('finds equal what is equal', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(compareAnswers(value, structuredClone(value)).agrees).toBe(true)
      }),
    )
  })

  it('says where the largest difference is, within the tolerance', () => {
    const agreement = compareAnswers({ scores: [0.1, 0.5], digit: 7 }, { scores: [0.1, 0.5004], digit: 7 })
    expect(agreement).toMatchObject({
      agrees: true,
      numbers: 3,
      largest: { path: '/scores/1' },
      differs: null,
    })
    expect(agreement.largest?.difference).toBeCloseTo(0.0004)
  })

  it('measures large numbers by their size', () => {
    expect(compareAnswers(1e6, 1e6 * (1 + tolerance / 2)).agrees).toBe(true)
    expect(compareAnswers(1e6, 1e6 * (1 + tolerance * 2)).agrees).toBe(false)
  })

  it.each([
    ['a number', { digit: 7 }, { digit: 1 }, { path: '/digit', reason: '7 against 1' }],
    ['a text', { a: 'x' }, { a: 'y' }, { path: '/a', reason: '"x" against "y"' }],
    ['a length', [1], [1, 2], { path: '', reason: '1 items against 2' }],
    ['a missing member', { a: 1 }, {}, { path: '/a', reason: '1 against nothing' }],
    ['what is not a number', [Number.NaN], [0], { path: '/0', reason: 'NaN against 0' }],
    ['an infinity', [1], [Number.POSITIVE_INFINITY], { path: '/0', reason: '1 against Infinity' }],
    ['a 64-bit integer', [1n], [2n], { path: '/0', reason: '1 against 2' }],
    ['another kind', [1], { 0: 1 }, { path: '', reason: '[1] against {"0":1}' }],
  ])('finds %s that differs', (_, left, right, differs) => {
    expect(compareAnswers(left, right)).toMatchObject({ agrees: false, differs })
  })

  it('takes NaN for NaN, and a tensor’s values one by one', () => {
    expect(compareAnswers([Number.NaN], [Number.NaN]).agrees).toBe(true)
    const agreement = compareAnswers({ data: Float32Array.of(1, 2) }, { data: Float32Array.of(1, 2.0001) })
    expect(agreement).toMatchObject({ agrees: true, numbers: 2, largest: { path: '/data/1' } })
  })

  it('compares by its numbers what a function remembers as base64', () => {
    const state = (change: number): string => {
      const floats = Float32Array.from(
        { length: 32 },
        (_, index) => Math.sin(index) + (index === 5 ? change : 0),
      )
      return Buffer.from(floats.buffer).toString('base64')
    }
    expect(compareAnswers({ state: state(0) }, { state: state(1e-5) })).toMatchObject({
      agrees: true,
      numbers: 32,
      largest: { path: '/state/5' },
    })
    expect(compareAnswers(state(0), state(0.1))).toMatchObject({ agrees: false, differs: { path: '/5' } })
    const digest = (bytes: string): string => new Bun.CryptoHasher('sha512').update(bytes).digest('base64')
    expect(compareAnswers(digest('a'), digest('b'))).toMatchObject({ agrees: false, numbers: 0 })
    expect(compareAnswers('a'.repeat(64), `${'a'.repeat(63)}é`)).toMatchObject({ agrees: false, numbers: 0 })
  })

  it('counts no numbers where there are none', () => {
    expect(compareAnswers('a', 'a')).toEqual({ agrees: true, numbers: 0, largest: null, differs: null })
  })
})
