import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Placement, place, type ReplicaRoom } from '../../runtime/cache/placement.ts'
import { admit, type ResidencyLimits, type Resident } from '../../runtime/cache/residency.ts'
import { SimulatedCache } from './simulated-cache.ts'

const limits: ResidencyLimits = {
  maxInGroup: 4,
  maxInReplica: 4,
  maxBytesInReplica: 100,
  maxBytesOfPrincipal: Number.POSITIVE_INFINITY,
}
const replicas: readonly ReplicaRoom[] = [0, 1].map((replica) => ({ replica, open: true, openBeside: true }))
const newcomer = { group: 'a', principal: 'acme', bytes: 10 }

function resident(key: string, replica: number, facts: Partial<Resident<string>> = {}): Resident<string> {
  const standing = 'idle'
  return { key, replica, ...newcomer, standing, pinned: false, lastUsedMs: 0, ...facts }
}

const placeBeside = (
  residents: readonly Resident<string>[],
  where = replicas,
  within: Partial<ResidencyLimits> = {},
): Placement => place(residents, newcomer, where, { ...limits, ...within })

describe('a newcomer', () => {
  it('goes where there is most room, by places and by bytes', () => {
    expect(placeBeside([])).toEqual({ outcome: 'free', replica: 0 })
    expect(placeBeside([resident('a', 0)])).toEqual({ outcome: 'free', replica: 1 })
    const heavy = [resident('a', 0), resident('b', 0), resident('large', 1, { bytes: 80 })]
    expect(placeBeside(heavy)).toEqual({ outcome: 'free', replica: 0 })
  })

  it('goes to a replica that is open, be there less room', () => {
    const where = replicas.map((each) => ({ ...each, open: each.replica === 1 }))
    expect(placeBeside([resident('a', 1)], where)).toEqual({ outcome: 'free', replica: 1 })
  })

  it('goes beside others only where it may wait for them to leave', () => {
    const residents = [resident('a', 0), resident('b', 1, { lastUsedMs: 1 })]
    const where = replicas.map((each) => ({ ...each, openBeside: each.replica === 1 }))
    const one = { maxInGroup: 1 }
    expect(placeBeside(residents, where, one)).toEqual({ outcome: 'full', replica: 1 })
    expect(placeBeside(residents, where.slice(0, 1), one)).toEqual({ outcome: 'later' })
    expect(placeBeside(residents.slice(1), where, one)).toEqual({ outcome: 'free', replica: 0 })
  })

  it('goes where the least recently used of all replicas makes room, where all are full', () => {
    const residents = [0, 1].flatMap((replica) =>
      [5, 6, 7, 8].map((usedMs) =>
        resident(`${replica}${usedMs}`, replica, { lastUsedMs: usedMs * 10 - replica }),
      ),
    )
    expect(placeBeside(residents)).toEqual({ outcome: 'full', replica: 1 })
  })

  it('waits where no replica is open', () => {
    expect(placeBeside([], [])).toEqual({ outcome: 'later' })
    const closed = replicas.map((each) => ({ ...each, open: false }))
    expect(placeBeside([], closed)).toEqual({ outcome: 'later' })
  })

  it('has nowhere to go where the pinned hold every replica, and waits where they do not', () => {
    const pinned = resident('p', 0, { pinned: true })
    const one = { maxInGroup: 1 }
    expect(placeBeside([pinned], replicas.slice(0, 1), one)).toEqual({ outcome: 'taken' })
    const closing = replicas.map((each) => ({ ...each, open: each.replica === 0 }))
    expect(placeBeside([pinned], closing, one)).toEqual({ outcome: 'later' })
  })

  it('has nowhere to go where it is too large by itself', () => {
    expect(placeBeside([], replicas, { maxBytesInReplica: 9 })).toEqual({
      outcome: 'too-large',
      limitBytes: 9,
    })
  })
})

it('several replicas of a few places behave as one of many', () => {
  const accesses = fc.array(fc.integer({ min: 0, max: 11 }), { maxLength: 200 })
  fc.assert(
    fc.property(accesses, (models) => {
      let residents: Resident<string>[] = []
      let places = new Map<string, number>()
      for (const [nowMs, model] of models.entries()) {
        const key = String(model)
        if (!residents.some((each) => each.key === key)) {
          const placement = place(residents, newcomer, replicas, limits)
          if (placement.outcome !== 'free' && placement.outcome !== 'full') throw new Error(placement.outcome)
          const { replica } = placement
          const admission = admit(residents, { ...newcomer, replica }, limits)
          const victims = admission.outcome === 'full' ? admission.victims.map((one) => one.resident) : []
          residents = residents.filter((each) => !victims.includes(each))
          residents.push(resident(key, replica))
        }
        residents = residents.map((each) => (each.key === key ? { ...each, lastUsedMs: nowMs } : each))
        // One cache of eight places: a map in the order of use.
        places.delete(key)
        places.set(key, nowMs)
        places = new Map([...places].slice(-8))
        expect(residents.map((each) => each.key).toSorted()).toEqual([...places.keys()].toSorted())
      }
    }),
  )
})

describe('whatever is wanted, used, ended, pinned and unloaded, in whatever order', () => {
  const tight: ResidencyLimits = {
    maxInGroup: 2,
    maxInReplica: 3,
    maxBytesInReplica: 10,
    maxBytesOfPrincipal: 14,
  }
  const model = fc.integer({ min: 0, max: 11 })
  const kind = fc.constantFrom(
    'want',
    'want',
    'up',
    'up',
    'failed',
    'use',
    'use',
    'end',
    'end',
    'pin',
    'unpin',
    'unload',
  )
  const steps = fc.array(fc.tuple(kind, model), { maxLength: 150 })

  function factsOf(number: number) {
    const principal = number % 3 === 0 ? 'acme' : 'other'
    return { name: `m${number}`, group: number % 2 === 0 ? 'a' : 'b', principal, bytes: number % 7 }
  }

  function perform(cache: SimulatedCache, step: string, number: number): void {
    const facts = factsOf(number)
    if (step === 'want') cache.want(facts)
    else if (step === 'up' || step === 'failed') cache.endLoad(facts.name, step)
    else if (step === 'use') cache.use(facts.name)
    else if (step === 'end') cache.endUse(facts.name)
    else if (step === 'pin') cache.pinned.add(facts.name)
    else if (step === 'unpin') cache.pinned.delete(facts.name)
    else cache.unload(facts.name)
  }

  const holds = (
    check: (cache: SimulatedCache, before: SimulatedCache['models'], step: string) => void,
  ): void =>
    fc.assert(
      fc.property(steps, (schedule) => {
        const cache = new SimulatedCache(tight)
        for (const [step, number] of schedule) {
          const before = cache.residents.filter(({ state }) => state === 'serving')
          perform(cache, step, number)
          check(cache, before, step)
        }
      }),
      { numRuns: 300 },
    )

  it('no limit is ever broken among those that serve or finish', () => {
    holds(({ residents }) => {
      const bytesOf = (some: typeof residents): number => some.reduce((sum, { bytes }) => sum + bytes, 0)
      for (const replica of [0, 1]) {
        const inside = residents.filter((each) => each.replica === replica)
        expect(inside.length).toBeLessThanOrEqual(tight.maxInReplica)
        expect(bytesOf(inside)).toBeLessThanOrEqual(tight.maxBytesInReplica)
        for (const group of ['a', 'b'])
          expect(inside.filter((each) => each.group === group).length).toBeLessThanOrEqual(tight.maxInGroup)
      }
      for (const principal of ['acme', 'other']) {
        const own = residents.filter((each) => each.principal === principal)
        expect(bytesOf(own)).toBeLessThanOrEqual(tight.maxBytesOfPrincipal)
      }
    })
  })

  it('nobody is ended who is in use, and nobody makes room who is pinned', () => {
    holds(({ ended, evicted }) => {
      expect(ended.filter(({ inHand }) => inHand > 0)).toEqual([])
      expect(evicted.filter(({ pinned }) => pinned)).toEqual([])
    })
  })

  it('a load that is begun or fails evicts nobody', () => {
    holds(({ residents }, before, step) => {
      if (step !== 'want' && step !== 'failed') return
      expect(residents.filter(({ state }) => state === 'serving')).toEqual(expect.arrayContaining(before))
    })
  })

  it('no more come up beside a replica than it may have', () => {
    holds(({ models, residents }) => {
      for (const replica of [0, 1]) {
        const inside = models.filter((each) => each.replica === replica)
        expect(inside.filter(({ state }) => state === 'coming').length).toBeLessThanOrEqual(2)
        // Some that have room come up while others wait for room.
        expect(inside.filter((each) => !residents.includes(each)).length).toBeLessThanOrEqual(4)
      }
    })
  })
})
