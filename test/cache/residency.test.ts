import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  admit,
  compareReadiness,
  type Newcomer,
  type ResidencyLimits,
  type Resident,
  standings,
} from '../../runtime/cache/residency.ts'

const wide: ResidencyLimits = {
  maxInGroup: 10,
  maxInReplica: 10,
  maxBytesInReplica: 1_000,
  maxBytesOfPrincipal: 1_000,
}

function resident(key: string, facts: Partial<Resident<string>> = {}): Resident<string> {
  return {
    key,
    replica: 0,
    group: 'a',
    principal: 'acme',
    bytes: 0,
    standing: 'idle',
    pinned: false,
    lastUsedMs: 0,
    ...facts,
  }
}

function newcomer(facts: Partial<Newcomer> = {}): Newcomer {
  return { replica: 0, group: 'a', principal: 'acme', bytes: 0, ...facts }
}

/** Who makes room and for which limit, as `key reason`; or the outcome where nobody does. */
function outcomeOf(
  residents: readonly Resident<string>[],
  limits: Partial<ResidencyLimits>,
  facts: Partial<Newcomer> = {},
): unknown {
  const admission = admit(residents, newcomer(facts), { ...wide, ...limits })
  if (admission.outcome !== 'full') return admission.outcome
  return admission.victims.map(({ resident: { key }, reason }) => `${key} ${reason}`)
}

describe('a newcomer', () => {
  it('is admitted up to each limit', () => {
    expect(outcomeOf([], { maxInGroup: 1, maxInReplica: 1 })).toBe('admitted')
    const residents = [resident('a1', { bytes: 5 }), resident('b1', { group: 'b', bytes: 5 })]
    const limits = { maxInGroup: 2, maxInReplica: 3, maxBytesInReplica: 15, maxBytesOfPrincipal: 15 }
    expect(outcomeOf(residents, limits, { bytes: 5 })).toBe('admitted')
    expect(outcomeOf(residents, limits, { bytes: 6 })).toEqual(['a1 bytes'])
  })

  it('takes a place in its group of the least recently used, and leaves other groups and replicas alone', () => {
    const residents = [
      resident('elsewhere', { replica: 1 }),
      resident('b1', { group: 'b' }),
      resident('a2', { lastUsedMs: 2 }),
      resident('a1', { lastUsedMs: 1 }),
    ]
    expect(outcomeOf(residents, { maxInGroup: 2 })).toEqual(['a1 count'])
  })

  it('takes a place in its replica of the least recently used of any group', () => {
    const residents = [
      resident('b1', { group: 'b' }),
      resident('a1', { lastUsedMs: 1 }),
      resident('b2', { group: 'b', lastUsedMs: 2 }),
    ]
    expect(outcomeOf(residents, { maxInReplica: 3 })).toEqual(['b1 count'])
  })

  it('asks nobody twice: who goes for the group makes room in the replica too', () => {
    const residents = [resident('b1', { group: 'b' }), resident('a1', { lastUsedMs: 5 })]
    expect(outcomeOf(residents, { maxInGroup: 1, maxInReplica: 2 })).toEqual(['a1 count'])
  })

  it('has as many go as its bytes need, and none who has none', () => {
    const residents = [
      resident('none', { lastUsedMs: 0 }),
      resident('small', { bytes: 10, lastUsedMs: 1 }),
      resident('next', { bytes: 10, lastUsedMs: 2 }),
      resident('last', { bytes: 10, lastUsedMs: 3 }),
    ]
    expect(outcomeOf(residents, { maxBytesInReplica: 30 }, { bytes: 15 })).toEqual([
      'small bytes',
      'next bytes',
    ])
  })

  it('spares a small one that a larger one made needless', () => {
    const residents = [
      resident('small', { bytes: 1, lastUsedMs: 1 }),
      resident('large', { bytes: 20, lastUsedMs: 2 }),
    ]
    expect(outcomeOf(residents, { maxBytesInReplica: 21 }, { bytes: 10 })).toEqual(['large bytes'])
  })

  it('makes room in its principal’s share wherever that principal has models, and nobody else', () => {
    const residents = [
      resident('theirs', { principal: 'other', bytes: 50 }),
      resident('far', { replica: 1, bytes: 50, lastUsedMs: 1 }),
      resident('near', { bytes: 50, lastUsedMs: 2 }),
    ]
    expect(outcomeOf(residents, { maxBytesOfPrincipal: 100 }, { bytes: 10 })).toEqual(['far principal'])
  })

  it('takes the place of who leaves already, then of surplus, then of the idle, then of the busy', () => {
    const ready = standings.filter((standing) => standing !== 'waiting')
    const residents = ready.map((standing, index) => resident(standing, { standing, lastUsedMs: -index }))
    const victims = residents.map((_, index) => outcomeOf(residents.slice(index), { maxInGroup: 4 - index }))
    expect(victims).toEqual(ready.map((standing) => [`${standing} count`]))
  })

  it('waits for who waits for others, unless it would be refused all the same', () => {
    const waiting = resident('waiting', { standing: 'waiting' })
    expect(outcomeOf([waiting, resident('busy', { standing: 'busy' })], { maxInGroup: 2 })).toEqual([
      'busy count',
    ])
    expect(outcomeOf([waiting], { maxInGroup: 1 })).toBe('later')
    const pinned = resident('pinned', { pinned: true, bytes: 9 })
    expect(outcomeOf([waiting, pinned], { maxInReplica: 2 })).toBe('later')
    expect(outcomeOf([waiting, pinned], { maxBytesInReplica: 10 }, { bytes: 2 })).toBe('taken')
    expect(outcomeOf([{ ...waiting, pinned: true }], { maxInGroup: 1 })).toBe('taken')
  })

  it('spares who is pinned, and is refused where only the pinned are left', () => {
    const pinned = resident('pinned', { pinned: true, bytes: 9 })
    expect(outcomeOf([pinned, resident('free', { lastUsedMs: 9 })], { maxInGroup: 2 })).toEqual([
      'free count',
    ])
    for (const limit of ['maxInGroup', 'maxInReplica'])
      expect(outcomeOf([pinned], { [limit]: 1 })).toBe('taken')
    for (const limit of ['maxBytesInReplica', 'maxBytesOfPrincipal'])
      expect(outcomeOf([pinned], { [limit]: 10 }, { bytes: 2 })).toBe('taken')
  })

  it('that is over a limit of bytes by itself is told which, and nobody goes for it', () => {
    const admissions = [{ maxBytesInReplica: 9 }, { maxBytesOfPrincipal: 9 }].map((limits) =>
      admit([resident('a1')], newcomer({ bytes: 10 }), { ...wide, ...limits }),
    )
    expect(admissions).toEqual(Array(2).fill({ outcome: 'too-large', limitBytes: 9 }))
  })

  it('makes room for a limit that has shrunk', () => {
    const residents = [3, 1, 2].map((lastUsedMs) => resident(`a${lastUsedMs}`, { lastUsedMs }))
    expect(outcomeOf(residents, { maxInGroup: 1 })).toEqual(['a1 count', 'a2 count', 'a3 count'])
  })
})

interface World {
  readonly residents: readonly Resident<number>[]
  readonly newcomer: Newcomer
  readonly limits: ResidencyLimits
}

describe('whatever the residents and the limits', () => {
  const place = {
    replica: fc.integer({ min: 0, max: 1 }),
    group: fc.constantFrom('a', 'b', 'c'),
    principal: fc.constantFrom('acme', 'other'),
    bytes: fc.integer({ min: 0, max: 10 }),
  }
  const world: fc.Arbitrary<World> = fc.record({
    residents: fc
      .array(
        fc.record({
          ...place,
          standing: fc.constantFrom(...standings),
          pinned: fc.boolean(),
          // A time that several share is as likely as one of their own.
          lastUsedMs: fc.oneof(fc.integer({ min: 0, max: 6 }), fc.constant(Number.POSITIVE_INFINITY)),
        }),
        { maxLength: 14 },
      )
      .map((list) => list.map((facts, key): Resident<number> => ({ ...facts, key }))),
    newcomer: fc.record(place),
    limits: fc.record({
      maxInGroup: fc.integer({ min: 1, max: 6 }),
      maxInReplica: fc.integer({ min: 1, max: 8 }),
      maxBytesInReplica: fc.integer({ min: 5, max: 40 }),
      maxBytesOfPrincipal: fc.oneof(fc.integer({ min: 5, max: 40 }), fc.constant(Number.POSITIVE_INFINITY)),
    }),
  })

  /** Whether a newcomer breaks no limit beside those who stay: the rules, told plainly. */
  function fits(staying: readonly Resident<number>[], { newcomer: each, limits }: World): boolean {
    const inReplica = staying.filter(({ replica }) => replica === each.replica)
    const peers = inReplica.filter(({ group }) => group === each.group)
    const own = staying.filter(({ principal }) => principal === each.principal)
    const bytesOf = (some: readonly Resident<number>[]): number =>
      some.reduce((sum, { bytes }) => sum + bytes, 0)
    return (
      peers.length < limits.maxInGroup &&
      inReplica.length < limits.maxInReplica &&
      (each.bytes === 0 || bytesOf(inReplica) + each.bytes <= limits.maxBytesInReplica) &&
      (each.bytes === 0 || bytesOf(own) + each.bytes <= limits.maxBytesOfPrincipal)
    )
  }

  /** What the world is once the victims have gone. */
  function settle(facts: World) {
    const admission = admit(facts.residents, facts.newcomer, facts.limits)
    const victims = admission.outcome === 'full' ? admission.victims.map(({ resident: each }) => each) : []
    return { admission, victims, staying: facts.residents.filter((each) => !victims.includes(each)) }
  }

  const holds = (check: (facts: World) => void): void =>
    fc.assert(fc.property(world, check), { numRuns: 500 })

  it('the newcomer fits exactly as it is said, once the victims have gone', () => {
    holds((facts) => {
      const { admission, staying } = settle(facts)
      const pinned = facts.residents.filter((each) => each.pinned)
      const detained = facts.residents.filter((each) => each.pinned || each.standing === 'waiting')
      if (admission.outcome === 'admitted') expect(fits(facts.residents, facts)).toBe(true)
      else if (admission.outcome === 'full') {
        expect(fits(facts.residents, facts)).toBe(false)
        expect(fits(staying, facts)).toBe(true)
      } else if (admission.outcome === 'taken') expect(fits(pinned, facts)).toBe(false)
      else if (admission.outcome === 'later') {
        expect(fits(detained, facts)).toBe(false)
        expect(detained.length).toBeGreaterThan(pinned.length)
      } else expect(fits([], facts)).toBe(false)
    })
  })

  it('a victim is a resident that is neither pinned nor waits, and goes once', () => {
    holds((facts) => {
      const { victims } = settle(facts)
      expect(new Set(victims).size).toBe(victims.length)
      for (const victim of victims) {
        expect(facts.residents).toContain(victim)
        expect(victim.pinned || victim.standing === 'waiting').toBe(false)
      }
    })
  })

  it('no victim could have stayed: with any one of them back a limit breaks', () => {
    holds((facts) => {
      const { victims, staying } = settle(facts)
      for (const victim of victims) expect(fits([...staying, victim], facts)).toBe(false)
    })
  })

  it('nobody goes whom another could stand in for that goes more readily', () => {
    holds((facts) => {
      const { victims, staying } = settle(facts)
      // One for another is a fair trade where one alone makes room; among several, sizes decide too.
      const [victim, second] = victims
      if (!victim || second) return
      const others = staying.filter(({ pinned }) => !pinned)
      const readier = others.filter((each) => compareReadiness(each, victim) < 0)
      const wouldDo = readier.filter((each) =>
        fits(
          facts.residents.filter((one) => one !== each),
          facts,
        ),
      )
      expect(wouldDo).toEqual([])
    })
  })

  it('the readiest go first', () => {
    holds((facts) => {
      const { victims } = settle(facts)
      expect(victims.toSorted(compareReadiness)).toEqual(victims)
    })
  })
})
