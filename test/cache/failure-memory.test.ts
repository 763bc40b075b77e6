import fc from 'fast-check'
import { expect, it } from 'vitest'
import { FailureMemory } from '../../runtime/cache/failure-memory.ts'

const options = { firstMs: 1_000, longestMs: 60_000, maxKeys: 3 }

it('knows nothing of a key that has not failed', () => {
  expect(new FailureMemory(options).get('a', 0)).toBeUndefined()
})

it('remembers a failure for its time and not a moment longer', () => {
  const memory = new FailureMemory<string>(options)
  memory.add('a', 'broken', 500)
  expect(memory.get('a', 500)).toBe('broken')
  expect(memory.get('a', 1_499)).toBe('broken')
  expect(memory.get('a', 1_500)).toBeUndefined()
  expect(memory.get('b', 500)).toBeUndefined()
})

it('doubles the time with each failure in a row, up to the longest', () => {
  const memory = new FailureMemory<number>(options)
  let nowMs = 0
  const spans = Array.from({ length: 8 }, (_, index) => {
    memory.add('a', index, nowMs)
    const startedMs = nowMs
    while (memory.get('a', nowMs) !== undefined) nowMs += 1_000
    return nowMs - startedMs
  })
  expect(spans).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000])
})

it('shows the failure that came last', () => {
  const memory = new FailureMemory<string>(options)
  memory.add('a', 'first', 0)
  memory.add('a', 'second', 10)
  expect(memory.get('a', 20)).toBe('second')
})

it('starts anew after a success', () => {
  const memory = new FailureMemory<string>(options)
  memory.add('a', 'one', 0)
  memory.add('a', 'two', 0)
  memory.delete('a')
  expect(memory.get('a', 0)).toBeUndefined()
  memory.add('a', 'three', 0)
  expect(memory.get('a', 1_000)).toBeUndefined()
})

it('takes the end of a failure’s time for no success', () => {
  const memory = new FailureMemory<string>(options)
  memory.add('a', 'one', 0)
  expect(memory.get('a', 50_000)).toBeUndefined()
  memory.add('a', 'two', 50_000)
  expect(memory.get('a', 51_999)).toBe('two')
})

it('forgets the key whose last failure is the oldest where there are too many', () => {
  const memory = new FailureMemory<string>(options)
  for (const key of ['a', 'b', 'c']) memory.add(key, key, 0)
  memory.add('a', 'a again', 1)
  memory.add('d', 'd', 2)
  expect(['a', 'b', 'c', 'd'].map((key) => memory.get(key, 3))).toEqual(['a again', undefined, 'c', 'd'])
})

it('never remembers more keys than it may, nor one for longer than it may', () => {
  const step = fc.record({
    key: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    succeeds: fc.boolean(),
    laterMs: fc.integer({ min: 0, max: 100_000 }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const memory = new FailureMemory<string>(options)
      let nowMs = 0
      for (const { key, succeeds, laterMs } of steps) {
        nowMs += laterMs
        if (succeeds) memory.delete(key)
        else memory.add(key, key, nowMs)
        expect(memory.get(key, nowMs)).toBe(succeeds ? undefined : key)
        const remembered = ['a', 'b', 'c', 'd', 'e'].filter((each) => memory.get(each, nowMs))
        expect(remembered.length).toBeLessThanOrEqual(options.maxKeys)
      }
      for (const key of ['a', 'b', 'c', 'd', 'e']) {
        expect(memory.get(key, nowMs + options.longestMs)).toBeUndefined()
      }
    }),
  )
})

it('holds after thousands of failures in a row', () => {
  const memory = new FailureMemory<number>(options)
  for (let count = 0; count < 5_000; count += 1) memory.add('a', count, 0)
  expect(memory.get('a', 59_999)).toBe(4_999)
  expect(memory.get('a', 60_000)).toBeUndefined()
})
