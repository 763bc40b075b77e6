import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AutoscaleConfig } from '../../runtime/config/deployment-config.ts'
import { AutoscalePolicy } from '../../runtime/replica/autoscale-policy.ts'

const config: AutoscaleConfig = {
  min: 1,
  max: 5,
  targetOngoing: 2,
  lookBackMs: 1_000,
  upscaleDelayMs: 500,
  downscaleDelayMs: 2_000,
}

/** Looks each 100 ms from a time on; gives how many there are to be each time. */
function observe(policy: AutoscalePolicy, ongoing: number, fromMs: number, untilMs: number): number[] {
  const counts: number[] = []
  for (let nowMs = fromMs; nowMs < untilMs; nowMs += 100) counts.push(policy.observe(ongoing, nowMs))
  return counts
}

describe('the number of replicas', () => {
  it('begins with the fewest, or with as many as there are within the bounds', () => {
    expect(new AutoscalePolicy(config).current).toBe(1)
    expect(new AutoscalePolicy(config, 3).current).toBe(3)
    expect(new AutoscalePolicy(config, 9).current).toBe(5)
    expect(new AutoscalePolicy({ ...config, min: 2 }, 0).current).toBe(2)
  })

  it('grows once more have been wanted for the delay', () => {
    const counts = observe(new AutoscalePolicy(config), 6, 0, 1_000)
    expect(counts.indexOf(3)).toBe(5)
    expect(new Set(counts)).toEqual(new Set([1, 3]))
  })

  it('does not grow for a wish that breaks off', () => {
    const policy = new AutoscalePolicy({ ...config, lookBackMs: 100 })
    for (let round = 0; round < 10; round += 1) {
      observe(policy, 6, round * 500, round * 500 + 400)
      observe(policy, 1, round * 500 + 400, round * 500 + 500)
    }
    expect(policy.current).toBe(1)
  })

  it('shrinks after its delay, to the most that was wanted meanwhile', () => {
    const policy = new AutoscalePolicy({ ...config, lookBackMs: 100 }, 5)
    observe(policy, 2, 0, 1_000)
    observe(policy, 6, 1_000, 1_200)
    expect(new Set(observe(policy, 2, 1_200, 2_000))).toEqual(new Set([5]))
    expect(policy.observe(2, 2_000)).toBe(3)
  })

  it('comes from nothing at once, and goes back to nothing', () => {
    const policy = new AutoscalePolicy({ ...config, min: 0 })
    expect(policy.observe(0, 0)).toBe(0)
    expect(policy.observe(1, 100)).toBe(1)
    const counts = observe(policy, 0, 200, 6_000)
    expect(counts.at(0)).toBe(1)
    expect(counts.at(-1)).toBe(0)
  })
})

const configs = fc
  .record({
    min: fc.integer({ min: 0, max: 4 }),
    more: fc.integer({ min: 1, max: 6 }),
    targetOngoing: fc.double({ min: 0.5, max: 8, noNaN: true }),
    lookBackMs: fc.integer({ min: 1, max: 2_000 }),
    upscaleDelayMs: fc.integer({ min: 1, max: 1_000 }),
    downscaleDelayMs: fc.integer({ min: 1, max: 3_000 }),
  })
  .map(({ min, more, ...rest }) => ({ ...rest, min, max: min + more }))
const looks = fc.array(fc.record({ ongoing: fc.nat(40), afterMs: fc.integer({ min: 1, max: 700 }) }), {
  maxLength: 80,
})

describe('whatever the load', () => {
  it('stays within the bounds', () => {
    fc.assert(
      fc.property(configs, looks, (given, load) => {
        const policy = new AutoscalePolicy(given)
        let nowMs = 0
        for (const { ongoing, afterMs } of load) {
          nowMs += afterMs
          const count = policy.observe(ongoing, nowMs)
          expect(count).toBeGreaterThanOrEqual(given.min)
          expect(count).toBeLessThanOrEqual(given.max)
        }
      }),
    )
  })

  it('is never nothing while somebody asks', () => {
    fc.assert(
      fc.property(configs, looks, (given, load) => {
        const policy = new AutoscalePolicy(given)
        let nowMs = 0
        for (const { ongoing, afterMs } of load) {
          nowMs += afterMs
          if (ongoing > 0) expect(policy.observe(ongoing, nowMs)).toBeGreaterThan(0)
          else policy.observe(ongoing, nowMs)
        }
      }),
    )
  })

  it('comes to what a steady load needs, and stays there', () => {
    fc.assert(
      fc.property(configs, looks, fc.nat(40), (given, load, steady) => {
        const policy = new AutoscalePolicy(given)
        let nowMs = 0
        for (const { ongoing, afterMs } of load) {
          nowMs += afterMs
          policy.observe(ongoing, nowMs)
        }
        const settleMs = given.lookBackMs + 2 * (given.upscaleDelayMs + given.downscaleDelayMs) + 500
        observe(policy, steady, nowMs + 100, nowMs + settleMs)
        const needed = Math.min(given.max, Math.max(given.min, Math.ceil(steady / given.targetOngoing)))
        expect(new Set(observe(policy, steady, nowMs + settleMs, nowMs + settleMs + 500))).toEqual(
          new Set([needed]),
        )
      }),
    )
  })
})
