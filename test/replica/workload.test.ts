import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type SentBatch, Workload } from '../../runtime/replica/workload.ts'

const limits = { concurrency: 1, ahead: 1 }

describe('a batch that waits for calls', () => {
  it('takes up no place until the last of its calls is answered', () => {
    const workload = new Workload(limits, 0)
    const first = workload.add(2, 0)
    workload.callBegan(first, 1)
    workload.callBegan(first, 1)
    expect([workload.free, workload.room, workload.waits, workload.lends]).toEqual([true, 2, true, true])
    workload.add(1, 2)
    expect([workload.free, workload.room, workload.waits, workload.lends]).toEqual([false, 1, false, true])
    workload.callEnded(first, 3)
    expect(workload.room).toBe(1)
    workload.callEnded(first, 4)
    expect([workload.free, workload.room, workload.lends, workload.calls]).toEqual([false, 0, false, true])
    workload.end(first, 5, { pressing: false })
    expect([workload.room, workload.calls, workload.batches]).toEqual([1, false, 1])
  })

  it('takes as long as it is worked on', () => {
    const workload = new Workload(limits, 0)
    const batch = workload.add(1, 0)
    workload.callBegan(batch, 10)
    expect(workload.remainingMs(12)).toBe(0)
    workload.callEnded(batch, 110)
    expect(workload.end(batch, 115, { pressing: true })).toBe(15)
    expect(workload.batchMs).toBe(15)
    workload.measure(150)
    expect(workload.busyShare).toBeCloseTo(0.1)
  })
})

it('whatever batches come, call and go, counts those that do not wait', () => {
  const kind = fc.constantFrom('add', 'call', 'call', 'answer', 'answer', 'end')
  const steps = fc.array(fc.tuple(kind, fc.nat(5)), { maxLength: 120 })
  const bounds = fc.record({
    concurrency: fc.integer({ min: 1, max: 4 }),
    ahead: fc.integer({ min: 0, max: 1 }),
  })
  fc.assert(
    fc.property(steps, bounds, (taken, { concurrency, ahead }) => {
      const workload = new Workload({ concurrency, ahead }, 0)
      const batches: SentBatch[] = []
      let nowMs = 0
      for (const [what, at] of taken) {
        nowMs += 1
        const batch = batches[at]
        if (what === 'add') batches.push(workload.add(1, nowMs))
        else if (!batch) continue
        else if (what === 'call') workload.callBegan(batch, nowMs)
        else if (what === 'answer' && batch.calls > 0) workload.callEnded(batch, nowMs)
        else if (what === 'end' && batch.calls === 0) {
          expect(workload.end(batch, nowMs, { pressing: false })).toBeGreaterThanOrEqual(0)
          batches.splice(at, 1)
        }
        const working = batches.filter(({ calls }) => calls === 0).length
        expect(workload.batches).toBe(batches.length)
        expect(workload.free).toBe(working < concurrency)
        expect(workload.room).toBe(Math.max(0, concurrency + ahead - working))
        expect(workload.lends).toBe(working < batches.length)
        expect(workload.waits).toBe(batches.length > 0 && working === 0)
        expect(workload.calls).toBe(batches.some(({ called }) => called))
      }
    }),
  )
})

it('has nothing in hand once its runner has died', () => {
  const workload = new Workload(limits, 0)
  workload.callBegan(workload.add(1, 0), 1)
  workload.clear()
  expect([workload.batches, workload.lends, workload.calls, workload.room]).toEqual([0, false, false, 2])
})
