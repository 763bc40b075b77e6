import { describe, expect, it } from 'vitest'
import { Pulses } from '../../runtime/job/pulse.ts'

const never = new AbortController().signal
const longMs = 1_000_000

describe('the pulses of jobs', () => {
  it('wake all who look at a job, and nobody else', async () => {
    using pulses = new Pulses(longMs)
    using first = pulses.hold('a')
    using second = pulses.hold('a')
    using other = pulses.hold('b')
    const woken: string[] = []
    const waits = [first.next(never), second.next(never)]
    void other.next(never).then(() => woken.push('b'))
    pulses.beat('a')
    await Promise.all(waits)
    expect(woken).toEqual([])
    pulses.beat('b')
    await expect.poll(() => woken).toEqual(['b'])
  })

  it('lose no beat between two looks', async () => {
    using pulses = new Pulses(longMs)
    using holder = pulses.hold('a')
    pulses.beat('a')
    pulses.beat('a')
    await holder.next(never)
    let woken = false
    const next = holder.next(never).then(() => {
      woken = true
    })
    await Promise.resolve()
    expect(woken).toBe(false)
    pulses.beat('a')
    await next
  })

  it('beat by themselves while somebody looks', async () => {
    using pulses = new Pulses(1)
    using holder = pulses.hold('a')
    await holder.next(never)
    await holder.next(never)
  })

  it('end a wait with its signal', async () => {
    using pulses = new Pulses(longMs)
    using holder = pulses.hold('a')
    const gone = new AbortController()
    const waiting = holder.next(gone.signal)
    gone.abort()
    await waiting
    await holder.next(gone.signal)
  })

  it('begin anew for who comes when nobody looked any more', async () => {
    using pulses = new Pulses(longMs)
    pulses.hold('a')[Symbol.dispose]()
    pulses.beat('a')
    using holder = pulses.hold('a')
    const waiting = holder.next(never)
    pulses.beat('a')
    await waiting
  })
})
