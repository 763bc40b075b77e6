import { describe, expect, it } from 'vitest'
import { ReplacementPolicy, type ReplicaUse } from '../../runtime/replica/replacement.ts'

const limits = { maxReplicaBytes: 100, maxReplicaLoads: 5 }
const minuteMs = 60_000

function replicaOf(facts: { residentSetBytes?: number; loads?: number; sinceMs?: number }): ReplicaUse {
  const { residentSetBytes = 0, loads = 0, sinceMs = 0 } = facts
  return { loads, sinceMs, health: { residentSetBytes } }
}

describe('a replica', () => {
  it('within its limits stays', () => {
    const policy = new ReplacementPolicy(limits)
    const replica = replicaOf({ residentSetBytes: 100, loads: 4 })
    expect([1, 2, 3].map((nowMs) => policy.examine(replica, nowMs))).toEqual([null, null, null])
  })

  it('that has had its loads is replaced', () => {
    expect(new ReplacementPolicy(limits).examine(replicaOf({ loads: 5 }), 1)).toBe('loads')
  })

  it('beyond its memory is replaced when it says so twice in a row', () => {
    const policy = new ReplacementPolicy(limits)
    const replica = { ...replicaOf({}), health: { residentSetBytes: 101 } }
    expect(policy.examine(replica, 1)).toBeNull()
    replica.health = { residentSetBytes: 100 }
    expect(policy.examine(replica, 2)).toBeNull()
    replica.health = { residentSetBytes: 101 }
    expect(policy.examine(replica, 3)).toBeNull()
    expect(policy.examine(replica, 4)).toBe('memory')
  })
})

describe('replicas that are beyond their memory as soon as they serve', () => {
  /** Lets fresh ones be replaced as soon as that may be; gives how long each served, and what was said of it. */
  function replaceInARow(
    policy: ReplacementPolicy<ReplicaUse>,
    count: number,
  ): (readonly [number, boolean])[] {
    let nowMs = 0
    return Array.from({ length: count }, () => {
      const replica = replicaOf({ residentSetBytes: 101, sinceMs: nowMs })
      const sinceMs = nowMs
      do nowMs += 1_000
      while (policy.examine(replica, nowMs) === null)
      return [nowMs - sinceMs, policy.replaced(replica, nowMs)] as const
    })
  }

  it('are replaced more and more seldom, and that is said once', () => {
    const rounds = replaceInARow(new ReplacementPolicy(limits), 9)
    const minutes = [1, 2, 4, 8, 16, 32, 60, 60].map((count) => count * minuteMs)
    expect(rounds.map(([servedMs]) => servedMs)).toEqual([2_000, ...minutes])
    expect(rounds.map(([, said]) => said)).toEqual([true, ...Array(8).fill(false)])
  })

  it('do not keep one from being replaced for its loads', () => {
    const policy = new ReplacementPolicy(limits)
    replaceInARow(policy, 2)
    expect(policy.examine(replicaOf({ loads: 5 }), minuteMs)).toBe('loads')
  })

  it('are forgotten once one has grown slowly', () => {
    const policy = new ReplacementPolicy(limits)
    replaceInARow(policy, 3)
    const slow = replicaOf({ residentSetBytes: 101, sinceMs: 0 })
    const nowMs = 100 * minuteMs
    expect([policy.examine(slow, nowMs), policy.examine(slow, nowMs)]).toEqual([null, 'memory'])
    expect(policy.replaced(slow, nowMs)).toBe(false)
    const next = replicaOf({ residentSetBytes: 101, sinceMs: nowMs })
    expect([policy.examine(next, nowMs), policy.examine(next, nowMs)]).toEqual([null, 'memory'])
  })
})
