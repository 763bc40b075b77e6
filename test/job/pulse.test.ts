import { describe, expect, it, vi } from 'vitest'
import { Pulses } from '../../runtime/job/pulse.ts'

const never = new AbortController().signal
const longMs = 1_000_000

describe('the pulses of jobs', () => {
  it('wake all who look at a job, and nobody else', async () => {
    using pulses = new Pulses(longMs)
    using first = pulses.hold('a', never)
    using second = pulses.hold('a', never)
    using other = pulses.hold('b', never)
    const woken: string[] = []
    const waits = [first.next(), second.next()]
    void other.next().then(() => woken.push('b'))
    pulses.beat('a')
    await Promise.all(waits)
    expect(woken).toEqual([])
    pulses.beat('b')
    await expect.poll(() => woken).toEqual(['b'])
  })

  it('lose no beat between two looks', async () => {
    using pulses = new Pulses(longMs)
    using holder = pulses.hold('a', never)
    pulses.beat('a')
    pulses.beat('a')
    await holder.next()
    let woken = false
    const next = holder.next().then(() => {
      woken = true
    })
    await Promise.resolve()
    expect(woken).toBe(false)
    pulses.beat('a')
    await next
  })

  it('beat by themselves while somebody looks', async () => {
    using pulses = new Pulses(1)
    using holder = pulses.hold('a', never)
    await holder.next()
    await holder.next()
  })

  it('end a wait with its signal, and beat no more once nobody is left', async () => {
    using pulses = new Pulses(longMs)
    const gone = new AbortController()
    using left = pulses.hold('a', gone.signal)
    using other = pulses.hold('a', never)
    const waiting = left.next()
    gone.abort()
    await waiting
    await left.next()
    pulses.beat('a')
    await other.next()
    other[Symbol.dispose]()
    other[Symbol.dispose]()
    using late = pulses.hold('a', gone.signal)
    await late.next()
  })

  it('leave no timer behind where whoever looked has gone, and waits for nothing', () => {
    vi.useFakeTimers()
    try {
      using pulses = new Pulses(longMs)
      const gone = new AbortController()
      pulses.hold('a', gone.signal)
      pulses.hold('a', gone.signal)
      expect(vi.getTimerCount()).toBe(1)
      gone.abort()
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })

  it('begin anew for who comes when nobody looked any more', async () => {
    using pulses = new Pulses(longMs)
    pulses.hold('a', never)[Symbol.dispose]()
    pulses.beat('a')
    using holder = pulses.hold('a', never)
    const waiting = holder.next()
    pulses.beat('a')
    await waiting
  })
})
