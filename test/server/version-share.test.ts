import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chooseVersion } from '../../runtime/server/version-share.ts'

const keys = Array.from({ length: 4_000 }, (_, index) => `caller ${index}`)
const version = (key: string, weight: number) => ({ key, weight })
const weights = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 5 })
const versionsOf = (all: readonly number[]) => all.map((weight, index) => version(`v${index}`, weight))

describe('a version', () => {
  it('is the only one where there is one', () => {
    expect(chooseVersion([version('3', 1)], 'anybody').key).toBe('3')
  })

  it('is the same for the same caller, in whatever order the versions stand', () => {
    fc.assert(
      fc.property(weights, fc.string(), (all, key) => {
        const versions = versionsOf(all)
        expect(chooseVersion(versions.toReversed(), key)).toEqual(chooseVersion(versions, key))
      }),
    )
  })

  it('gets its share of many callers', () => {
    const chosen = Map.groupBy(keys, (key) => chooseVersion([version('3', 90), version('4', 10)], key).key)
    // Six standard deviations of a binomial distribution.
    expect(Math.abs((chosen.get('4')?.length ?? 0) / keys.length - 0.1)).toBeLessThan(0.03)
  })

  it('that gains weight takes callers from others, and moves nobody else', () => {
    fc.assert(
      fc.property(weights, fc.nat({ max: 4 }), fc.string(), (all, which, key) => {
        const index = which % all.length
        const grown = all.map((weight, at) => (at === index ? weight * 3 : weight))
        const before = chooseVersion(versionsOf(all), key).key
        const after = chooseVersion(versionsOf(grown), key).key
        expect([before, `v${index}`]).toContain(after)
      }),
    )
  })

  it('must be there', () => {
    expect(() => chooseVersion([], 'anybody')).toThrow('"versions" must not be empty')
  })
})
