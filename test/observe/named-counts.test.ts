import { expect, it } from 'vitest'
import { NamedCounts } from '../../runtime/observe/named-counts.ts'

it('counts by name', () => {
  const counts = new NamedCounts<'idle' | 'bytes' | 'count'>()
  for (const name of ['idle', 'bytes', 'idle'] as const) counts.add(name)
  expect([...counts.entries]).toEqual([
    ['idle', 2],
    ['bytes', 1],
  ])
  expect(counts.get('count')).toBe(0)
})

it('takes names that objects have of themselves', () => {
  const counts = new NamedCounts()
  for (const name of ['__proto__', 'constructor', '__proto__']) counts.add(name)
  expect([...counts.entries]).toEqual([
    ['__proto__', 2],
    ['constructor', 1],
  ])
})
