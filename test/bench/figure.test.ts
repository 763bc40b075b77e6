import { describe, expect, it } from 'vitest'
import { compare, median, takeTurns } from './figure.ts'

const sides = { name: 'speed', unit: 'requests/s', peer: 'another' }

describe('the median', () => {
  it.each([
    [[3], 3],
    [[9, 1, 5], 5],
    [[10, 2, 9, 1], 5.5],
    [[100, 2, 1, 3, 2], 2],
  ])('of %j is %d', (values, middle) => {
    expect(median(values)).toBe(middle)
  })

  it('of nothing is no number, and leaves its values as they were', () => {
    expect(median([])).toBeNaN()
    const values = [2, 1]
    median(values)
    expect(values).toEqual([2, 1])
  })
})

describe('a figure', () => {
  it.each([
    ['>= 0.8', 80, 100, true],
    ['>= 0.8', 79, 100, false],
    ['<= 1.2', 12, 10, true],
    ['<= 1.2', 13, 10, false],
    ['none', 1, 1_000, true],
  ])('with the goal %s, %d beside %d, passes: %s', (goal, value, peerValue, pass) => {
    const figure = compare({ ...sides, goal, values: [value], peerValues: [peerValue] })
    expect(figure).toEqual({ ...sides, goal, value, peerValue, ratio: value / peerValue, pass })
  })

  it('never passes without a number', () => {
    expect(compare({ ...sides, goal: '>= 1', values: [], peerValues: [1] }).pass).toBe(false)
    expect(compare({ ...sides, goal: '<= 1', values: [1], peerValues: [] }).pass).toBe(false)
  })

  it.each(['at least 2', '> 2', '>=2', ''])('refuses the goal "%s"', (goal) => {
    expect(() => compare({ ...sides, goal, values: [1], peerValues: [1] })).toThrow(/"goal" must be such as/)
  })
})

describe('turns', () => {
  it('take the sides one after the other, and leave the warm-up out', async () => {
    const taken: string[] = []
    const take = (side: string) => async () => `${side}${taken.push(side)}`
    const outcomes = await takeTurns({ name: 'turns', rounds: 2, sides: { a: take('a'), b: take('b') } })
    expect(taken).toEqual(['a', 'b', 'a', 'b', 'a', 'b'])
    expect(outcomes).toEqual({ a: ['a3', 'a5'], b: ['b4', 'b6'] })
  })
})
