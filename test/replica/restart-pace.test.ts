import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RestartPace } from '../../runtime/replica/restart-pace.ts'

describe('the next start', () => {
  it('waits for nobody after one short life', () => {
    const pace = new RestartPace()
    pace.died(0, 10)
    expect(pace.waitMs(10)).toBe(0)
  })

  it('waits twice as long after each further short life, up to the longest', () => {
    const pace = new RestartPace()
    const waits = Array.from({ length: 9 }, () => {
      pace.died(100, 1_000)
      return pace.waitMs(1_000)
    })
    expect(waits).toEqual([0, 100, 200, 400, 800, 1_600, 2_000, 2_000, 2_000])
    expect([pace.waitMs(2_500), pace.waitMs(3_000), pace.waitMs(9_000)]).toEqual([500, 0, 0])
  })

  it('waits no longer for short lives before a long one', () => {
    const pace = new RestartPace()
    for (let life = 0; life < 5; life += 1) pace.died(0, 0)
    pace.died(500, 2_000)
    pace.died(0, 2_000)
    expect(pace.waitMs(2_000)).toBe(0)
  })

  it('keeps processes that die at once to a few starts a minute each, whatever the order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 499 }), { minLength: 40, maxLength: 200 }), (lives) => {
        const pace = new RestartPace()
        let nowMs = 0
        for (const life of lives) {
          nowMs += pace.waitMs(nowMs) + life
          pace.died(life, nowMs)
        }
        // The first six pauses are together as long as they are; all others take the longest.
        expect(nowMs).toBeGreaterThanOrEqual(3_100 + (lives.length - 7) * 2_000)
      }),
    )
  })
})
