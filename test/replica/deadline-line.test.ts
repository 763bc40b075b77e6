import { describe, expect, it } from 'vitest'
import { DeadlineLine } from '../../runtime/replica/deadline-line.ts'
import { until } from '../support/server.ts'

interface Item {
  readonly name: string
  readonly arrivedMs: number
}

function item(name: string): Item {
  return { name, arrivedMs: performance.now() }
}

describe('a line of deadlines', () => {
  it('tells of each item whose time is up once, in the order in which they came', async () => {
    const told: string[] = []
    const line = new DeadlineLine<Item>(20, ({ name }) => told.push(name))
    const [first] = ['a', 'b', 'c'].map((name) => line.add(item(name)))
    await until(() => told.length === 3)
    line.add(item('d'))
    await until(() => told.length === 4)
    expect(told).toEqual(['a', 'b', 'c', 'd'])
    expect(first && line.delete(first)).toBe(false)
  })

  it('says nothing of an item that was taken out, and whether it was there', async () => {
    const told: string[] = []
    const line = new DeadlineLine<Item>(20, ({ name }) => told.push(name))
    const [a, b] = [line.add(item('a')), line.add(item('b'))]
    line.add(item('c'))
    expect([line.delete(a), line.delete(b), line.delete(b)]).toEqual([true, true, false])
    await until(() => told.length > 0)
    expect(told).toEqual(['c'])
  })

  it('gives none less than its time, also where one before it has gone', async () => {
    const waitedMs: number[] = []
    const line = new DeadlineLine<Item>(30, ({ arrivedMs }) => waitedMs.push(performance.now() - arrivedMs))
    const gone = line.add(item('gone'))
    await Bun.sleep(20)
    line.delete(gone)
    line.add(item('late'))
    await until(() => waitedMs.length === 1)
    expect(waitedMs[0]).toBeGreaterThanOrEqual(30)
  })

  it('may get a new item by what it tells of', async () => {
    const told: string[] = []
    const line: DeadlineLine<Item> = new DeadlineLine(5, ({ name }) => {
      told.push(name)
      if (told.length < 3) line.add(item(`${name}'`))
    })
    line.add(item('a'))
    await until(() => told.length === 3)
    expect(told).toEqual(['a', "a'", "a''"])
  })
})
