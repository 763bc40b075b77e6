import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { admit, type ResidencyLimits, type Resident } from '../../runtime/cache/residency.ts'

function resident(key: string, group: string, lastUsedMs: number, inUse = false): Resident<string> {
  return { key, group, inUse, lastUsedMs }
}

/** The keys of those that must go; empty where the newcomer fits. */
function victimsOf<Key>(residents: readonly Resident<Key>[], group: string, limits: ResidencyLimits): Key[] {
  const admission = admit(residents, group, limits)
  return admission.admitted ? [] : admission.victims.map(({ key }) => key)
}

const wide = { maxInGroup: 10, maxInAll: 10 }

describe('admit', () => {
  it('lets the first in', () => {
    expect(admit([], 'a', { maxInGroup: 1, maxInAll: 1 })).toEqual({ admitted: true })
  })

  it('lets a newcomer in up to both limits', () => {
    const residents = [resident('a1', 'a', 1), resident('a2', 'a', 2), resident('b1', 'b', 3)]
    expect(victimsOf(residents, 'a', { maxInGroup: 3, maxInAll: 4 })).toEqual([])
  })

  it('makes room in a full group by its least recently used, and leaves other groups alone', () => {
    const residents = [resident('b1', 'b', 0), resident('a2', 'a', 2), resident('a1', 'a', 1)]
    expect(victimsOf(residents, 'a', { ...wide, maxInGroup: 2 })).toEqual(['a1'])
  })

  it('makes room in a full house by the least recently used of any group', () => {
    const residents = [resident('b1', 'b', 0), resident('a1', 'a', 1), resident('b2', 'b', 2)]
    expect(victimsOf(residents, 'a', { ...wide, maxInAll: 3 })).toEqual(['b1'])
  })

  it('asks nobody twice: who goes for the group makes room in the house too', () => {
    const residents = [resident('b1', 'b', 0), resident('a1', 'a', 5)]
    expect(victimsOf(residents, 'a', { maxInGroup: 1, maxInAll: 2 })).toEqual(['a1'])
  })

  it('spares those in use as long as another will do', () => {
    const residents = [resident('a1', 'a', 1, true), resident('a2', 'a', 9), resident('a3', 'a', 5, true)]
    expect(victimsOf(residents, 'a', { ...wide, maxInGroup: 3 })).toEqual(['a2'])
  })

  it('takes the least recently used of those in use where all are', () => {
    const residents = [resident('a1', 'a', 2, true), resident('a2', 'a', 1, true)]
    expect(victimsOf(residents, 'a', { ...wide, maxInGroup: 2 })).toEqual(['a2'])
  })

  it('makes room for a limit that has shrunk', () => {
    const residents = [resident('a1', 'a', 3), resident('a2', 'a', 1), resident('a3', 'a', 2)]
    expect(victimsOf(residents, 'a', { ...wide, maxInGroup: 1 })).toEqual(['a2', 'a3', 'a1'])
  })

  it('changes nothing that it was given', () => {
    const residents = Object.freeze([resident('a1', 'a', 2), resident('a2', 'a', 1)].map(Object.freeze))
    expect(victimsOf(residents as Resident<string>[], 'a', { ...wide, maxInGroup: 2 })).toEqual(['a2'])
  })
})

interface World {
  readonly residents: readonly Resident<number>[]
  readonly group: string
  readonly limits: ResidencyLimits
}

describe('whatever the residents and the limits', () => {
  const group = fc.constantFrom('a', 'b', 'c')
  const world: fc.Arbitrary<World> = fc.record({
    // A time that several share is as likely as one of their own.
    residents: fc
      .array(fc.record({ group, inUse: fc.boolean(), lastUsedMs: fc.integer({ min: 0, max: 6 }) }), {
        maxLength: 12,
      })
      .map((list) => list.map((facts, key): Resident<number> => ({ ...facts, key }))),
    group,
    limits: fc.record({
      maxInGroup: fc.integer({ min: 1, max: 6 }),
      maxInAll: fc.integer({ min: 1, max: 8 }),
    }),
  })

  /** What a world is after the victims have gone and the newcomer has come, and who they were. */
  function settle({ residents, group, limits }: World) {
    const admission = admit(residents, group, limits)
    const victims = admission.admitted ? [] : admission.victims
    const staying = residents.filter((each) => !victims.includes(each))
    return { admission, victims, staying }
  }

  it('the limits hold once the victims have gone and the newcomer is there', () => {
    fc.assert(
      fc.property(world, (facts) => {
        const { staying } = settle(facts)
        expect(staying.length + 1).toBeLessThanOrEqual(facts.limits.maxInAll)
        const peers = staying.filter((each) => each.group === facts.group)
        expect(peers.length + 1).toBeLessThanOrEqual(facts.limits.maxInGroup)
      }),
    )
  })

  it('a victim is a resident and goes once', () => {
    fc.assert(
      fc.property(world, (facts) => {
        const { victims } = settle(facts)
        expect(new Set(victims).size).toBe(victims.length)
        for (const victim of victims) expect(facts.residents).toContain(victim)
      }),
    )
  })

  it('a newcomer is let in exactly where nobody has to go', () => {
    fc.assert(
      fc.property(world, (facts) => {
        const { admission, victims } = settle(facts)
        expect(admission.admitted).toBe(victims.length === 0)
      }),
    )
  })

  it('no victim could have stayed: with any one of them back a limit breaks', () => {
    fc.assert(
      fc.property(world, (facts) => {
        const { victims, staying } = settle(facts)
        const { limits } = facts
        for (const victim of victims) {
          const back = [...staying, victim]
          const peers = back.filter((each) => each.group === facts.group)
          const fits = back.length + 1 <= limits.maxInAll && peers.length + 1 <= limits.maxInGroup
          expect(fits).toBe(false)
        }
      }),
    )
  })

  it('nobody in use goes while an unused one that would have done stays', () => {
    fc.assert(
      fc.property(world, (facts) => {
        const { victims, staying } = settle(facts)
        for (const victim of victims.filter((each) => each.inUse)) {
          const instead = staying.filter((each) => !each.inUse && couldReplace(each, victim, facts.group))
          expect(instead).toEqual([])
        }
      }),
    )
  })

  it('nobody goes while one that was used less recently, and would have done, stays', () => {
    fc.assert(
      fc.property(world, (facts) => {
        const { victims, staying } = settle(facts)
        for (const victim of victims) {
          const instead = staying.filter((each) => {
            return (
              each.inUse === victim.inUse &&
              each.lastUsedMs < victim.lastUsedMs &&
              couldReplace(each, victim, facts.group)
            )
          })
          expect(instead).toEqual([])
        }
      }),
    )
  })

  it('the unused go first, and within each kind the least recently used', () => {
    fc.assert(
      fc.property(world, (facts) => {
        const { victims } = settle(facts)
        for (const [index, victim] of victims.entries()) {
          const next = victims[index + 1]
          if (!next) continue
          expect(Number(victim.inUse)).toBeLessThanOrEqual(Number(next.inUse))
          if (victim.inUse === next.inUse) expect(victim.lastUsedMs).toBeLessThanOrEqual(next.lastUsedMs)
        }
      }),
    )
  })

  /** Whether the one could go in the other's place: for a place in the group, only a peer can. */
  function couldReplace(each: Resident<number>, victim: Resident<number>, newcomers: string): boolean {
    return victim.group !== newcomers || each.group === newcomers
  }
})
