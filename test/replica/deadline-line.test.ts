import { describe, expect, it } from 'vitest'
import { DeadlineLine } from '../../runtime/replica/deadline-line.ts'
import { until } from '../support/server.ts'

describe('a line of deadlines', () => {
  it('tells of each item whose time is up once, in the order in which they came', async () => {
    const told: string[] = []
    const line = new DeadlineLine<string>(20, (item) => told.push(item))
    for (const item of ['a', 'b', 'c']) line.add(item)
    await until(() => told.length === 3)
    line.add('d')
    await until(() => told.length === 4)
    expect(told).toEqual(['a', 'b', 'c', 'd'])
    expect(line.delete('a')).toBe(false)
  })

  it('says nothing of an item that was taken out, and whether it was there', async () => {
    const told: string[] = []
    const line = new DeadlineLine<string>(20, (item) => told.push(item))
    for (const item of ['a', 'b', 'c']) line.add(item)
    expect([line.delete('a'), line.delete('b'), line.delete('b')]).toEqual([true, true, false])
    await until(() => told.length > 0)
    expect(told).toEqual(['c'])
  })

  it('gives none less than its time, also where one before it has gone', async () => {
    const waitedMs: number[] = []
    const line = new DeadlineLine<number>(30, (sinceMs) => waitedMs.push(performance.now() - sinceMs))
    line.add(-1)
    await Bun.sleep(20)
    line.delete(-1)
    const nowMs = performance.now()
    line.add(nowMs, nowMs)
    await until(() => waitedMs.length === 1)
    expect(waitedMs[0]).toBeGreaterThanOrEqual(30)
  })

  it('may get a new item by what it tells of', async () => {
    let count = 0
    const line: DeadlineLine<number> = new DeadlineLine(5, (item) => {
      count += 1
      if (item < 3) line.add(item + 1)
    })
    line.add(1)
    await until(() => count === 3)
  })
})
