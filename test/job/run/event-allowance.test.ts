import { expect, it } from 'vitest'
import { EventAllowance } from '../../../runtime/job/run/event-allowance.ts'

it('grants a burst, then so many a second', () => {
  let nowMs = 5_000
  const allowance = new EventAllowance(() => nowMs)
  const takeAll = (): number => {
    let taken = 0
    while (allowance.take()) taken += 1
    return taken
  }
  expect(takeAll()).toBe(1_000)
  expect(takeAll()).toBe(0)
  nowMs += 500
  expect(takeAll()).toBe(100)
  nowMs += 4
  expect(takeAll()).toBe(0)
  nowMs += 1
  expect(takeAll()).toBe(1)
  nowMs += 3_600_000
  expect(takeAll()).toBe(1_000)
})
