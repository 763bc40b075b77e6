import { expect, it } from 'vitest'
import { Quarantine } from '../../runtime/replica/quarantine.ts'

const options = { toleratedDeaths: 2, firstMs: 10, longestMs: 35, forgottenAfterMs: 1_000, maxKeys: 3 }

it('tolerates some deaths, then keeps out for longer each time, up to the longest', () => {
  const quarantine = new Quarantine(options)
  expect(quarantine.empty).toBe(true)
  const spans = [0, 100, 200, 300, 400, 500].map((nowMs) => {
    quarantine.add('a', nowMs)
    return quarantine.remainingMs('a', nowMs)
  })
  expect(spans).toEqual([0, 0, 10, 20, 35, 35])
  expect(quarantine.remainingMs('a', 530)).toBe(5)
  expect(quarantine.remainingMs('a', 536)).toBe(0)
  expect(quarantine.empty).toBe(false)
})

it('keeps nobody out for another', () => {
  const quarantine = new Quarantine(options)
  for (let count = 0; count < 5; count += 1) quarantine.add('a', 0)
  expect(quarantine.remainingMs('b', 0)).toBe(0)
})

it('begins anew after a time without deaths', () => {
  const quarantine = new Quarantine(options)
  for (const nowMs of [0, 1, 2]) quarantine.add('a', nowMs)
  quarantine.add('a', 1_002)
  expect(quarantine.remainingMs('a', 1_002)).toBe(0)
})

it('remembers no more keys than it may, the latest', () => {
  const quarantine = new Quarantine({ ...options, toleratedDeaths: 0 })
  for (const key of ['a', 'b', 'c', 'a', 'd']) quarantine.add(key, 0)
  expect(['a', 'b', 'c', 'd'].map((key) => quarantine.remainingMs(key, 0) > 0)).toEqual([
    true,
    false,
    true,
    true,
  ])
})
