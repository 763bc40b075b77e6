import { expect, it } from 'vitest'
import { Pace } from '../../runtime/replica/pace.ts'

it('knows nothing before a batch has ended', () => {
  const pace = new Pace()
  expect(pace.waitMs(10)).toBeNull()
})

it('tells from batches how long a line takes', () => {
  const pace = new Pace()
  pace.add(40, 8, 2)
  expect(pace.waitMs(16)).toBe(40)
  expect(pace.waitMs(0)).toBe(0)
})

it('follows what becomes quicker or slower', () => {
  const pace = new Pace()
  pace.add(10, 1, 1)
  for (let count = 0; count < 50; count += 1) pace.add(100, 1, 1)
  expect(pace.waitMs(1)).toBeGreaterThan(99)
  expect(pace.waitMs(1)).toBeLessThanOrEqual(100)
})
