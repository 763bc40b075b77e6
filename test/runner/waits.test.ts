import { expect, it } from 'vitest'
import { Waits } from '../../runtime/runner/waits.ts'

it('tells of the first that is waited for, and of the end of the last', () => {
  const told: boolean[] = []
  const waits = new Waits((waiting) => told.push(waiting))
  const first = waits.begin()
  const second = waits.begin()
  first()
  expect(told).toEqual([true])
  second()
  expect(told).toEqual([true, false])
  waits.begin()()
  expect(told).toEqual([true, false, true, false])
})

it('counts an end once', () => {
  const told: boolean[] = []
  const waits = new Waits((waiting) => told.push(waiting))
  const first = waits.begin()
  waits.begin()
  first()
  first()
  expect(told).toEqual([true])
})
