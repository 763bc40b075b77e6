import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BoundedFamily } from '../../runtime/observe/bounded-family.ts'

interface Member {
  readonly facts: string | null
  count: number
}

const createFamily = (most: number): BoundedFamily<string, Member> =>
  new BoundedFamily({ most, create: (facts) => ({ facts, count: 0 }) })

describe('a bounded family', () => {
  it('gives each of the first names a member, and all others one together', () => {
    const family = createFamily(2)
    for (const name of ['a', 'b', 'c', 'a', 'd']) family.of(name, name).count += 1
    expect(family.members).toEqual([
      { facts: 'a', count: 2 },
      { facts: 'b', count: 1 },
      { facts: null, count: 2 },
    ])
  })

  it('has no shared member before it needs one', () => {
    const family = createFamily(1)
    family.of('a', 'a')
    expect(family.members).toHaveLength(1)
  })

  it('loses no count and grows to its bound only, whatever the names', () => {
    fc.assert(
      fc.property(fc.nat(5), fc.array(fc.string({ maxLength: 2 })), (most, names) => {
        const family = createFamily(most)
        for (const name of names) family.of(name, name).count += 1
        const { members } = family
        expect(members.length).toBeLessThanOrEqual(most + 1)
        expect(members.reduce((sum, { count }) => sum + count, 0)).toBe(names.length)
        for (const { facts, count } of members) {
          if (facts !== null) expect(count).toBe(names.filter((name) => name === facts).length)
        }
      }),
    )
  })
})
