import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FairLine } from '../../runtime/replica/fair-line.ts'
import type { Place } from '../../runtime/replica/linked-line.ts'

interface Entry {
  readonly principal: string
  readonly cost: number
  readonly id: number
}

const lineOf = (quantum: number): FairLine<Entry> =>
  new FairLine<Entry>({ principalOf: ({ principal }) => principal, costOf: ({ cost }) => cost, quantum })

let entries = 0

function entry(principal: string, cost = 1): Entry {
  entries += 1
  return { principal, cost, id: entries }
}

function drain(line: FairLine<Entry>): Entry[] {
  const taken: Entry[] = []
  for (let next = line.shift(); next; next = line.shift()) taken.push(next)
  return taken
}

describe('a fair line', () => {
  it('gives one principal its entries in the order in which they came', () => {
    const line = lineOf(1)
    const added = [entry('a'), entry('a', 5), entry('a')]
    for (const each of added) line.add(each)
    expect(drain(line)).toEqual(added)
    expect(line.length).toBe(0)
  })

  it('takes turns among principals, however many entries one of them has', () => {
    const line = lineOf(1)
    for (let count = 0; count < 100; count += 1) line.add(entry('noisy'))
    line.add(entry('quiet'))
    const first = [line.shift(), line.shift()].map((each) => each?.principal)
    expect(first.toSorted()).toEqual(['noisy', 'quiet'])
  })

  it('lets a principal with large entries take fewer of them', () => {
    const line = lineOf(2)
    for (let count = 0; count < 40; count += 1) {
      line.add(entry('large', 8))
      line.add(entry('small', 1))
    }
    const taken = Array.from({ length: 36 }, () => line.shift())
    const large = taken.filter((each) => each?.principal === 'large').length
    expect(large).toBeGreaterThanOrEqual(3)
    expect(large).toBeLessThanOrEqual(5)
  })

  it('shows who is next without taking it', () => {
    const line = lineOf(1)
    for (const principal of ['a', 'b', 'a', 'c']) line.add(entry(principal, 3))
    while (line.length > 0) {
      const next = line.peek()
      expect(line.peek()).toBe(next)
      expect(line.shift()).toBe(next)
    }
    expect(line.peek()).toBeUndefined()
  })

  it('names the first of each principal, and the last of the one with the most', () => {
    const line = lineOf(1)
    const [one, two, three, four] = [entry('a'), entry('b'), entry('b'), entry('c')]
    for (const each of [one, two, three, four]) line.add(each)
    expect([...line.firsts()]).toEqual([one, two, four])
    expect(line.lastOfLongest()).toEqual({ entry: three, length: 2 })
    expect(line.lengthOf('b')).toBe(2)
    expect(line.lengthOf('nobody')).toBe(0)
    expect(lineOf(1).lastOfLongest()).toBeUndefined()
  })

  it('saves nothing up for a principal of whom nothing waits, however many have come and gone', () => {
    const line = lineOf(5)
    for (let count = 0; count < 500; count += 1) {
      line.add(entry(`passing ${count}`))
      line.shift()
    }
    line.add(entry('a'))
    line.shift()
    for (let count = 0; count < 20; count += 1) for (const principal of ['a', 'b']) line.add(entry(principal))
    const taken = Array.from({ length: 10 }, () => line.shift()?.principal)
    expect(taken.filter((principal) => principal === 'a')).toHaveLength(5)
  })

  it('holds what came and has not been taken or deleted, each once', () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant('add' as const),
        principal: fc.constantFrom('a', 'b', 'c'),
        cost: fc.integer({ min: 1, max: 9 }),
      }),
      fc.constant({ kind: 'shift' as const }),
      fc.record({ kind: fc.constant('delete' as const), which: fc.nat() }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), fc.integer({ min: 1, max: 5 }), (steps, quantum) => {
        const line = lineOf(quantum)
        const held = new Map<Entry, Place<Entry>>()
        for (const each of steps) {
          if (each.kind === 'add') {
            const added = entry(each.principal, each.cost)
            held.set(added, line.add(added))
          } else if (each.kind === 'shift') {
            const taken = line.shift()
            expect(taken === undefined).toBe(held.size === 0)
            if (taken) {
              const before = [...held.keys()].find(({ principal }) => principal === taken.principal)
              expect(taken).toBe(before)
              held.delete(taken)
            }
          } else if (held.size > 0) {
            const [gone, place] = [...held][each.which % held.size] ?? []
            if (gone && place) {
              held.delete(gone)
              expect(line.delete(place)).toBe(true)
              expect(line.delete(place)).toBe(false)
            }
          }
          expect(line.length).toBe(held.size)
          expect(new Set(line)).toEqual(new Set(held.keys()))
        }
      }),
    )
  })

  it('never gives one who waits less than another by more than a quantum and an entry', () => {
    const costs = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 20, maxLength: 40 })
    fc.assert(
      fc.property(costs, costs, fc.integer({ min: 1, max: 12 }), (ofA, ofB, quantum) => {
        const line = lineOf(quantum)
        for (const cost of ofA) line.add(entry('a', cost))
        for (const cost of ofB) line.add(entry('b', cost))
        const served = { a: 0, b: 0 }
        while (line.lengthOf('a') > 0 && line.lengthOf('b') > 0) {
          const next = line.shift()
          if (next) served[next.principal as 'a' | 'b'] += next.cost
          expect(Math.abs(served.a - served.b)).toBeLessThanOrEqual(quantum + 12)
        }
      }),
    )
  })
})
