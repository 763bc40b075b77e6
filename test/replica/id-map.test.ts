import fc from 'fast-check'
import { expect, it } from 'vitest'
import { IdMap } from '../../runtime/replica/id-map.ts'

// Ids that fall into the same slots, at the ends of the table too, and those about the largest.
const id = fc.oneof(
  fc.integer({ min: 1, max: 12 }),
  fc.integer({ min: 0, max: 5 }).map((turn) => 63 + 64 * turn),
  fc.integer({ min: 1, max: 5 }).map((turn) => 128 * turn),
  fc.integer({ min: 0xffff_fff8, max: 0xffff_ffff }),
)
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('set' as const), id }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), id }) },
)

it('holds what a Map of the same steps would hold', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
      const ours = new IdMap<string>()
      const model = new Map<number, string>()
      for (const [index, each] of steps.entries()) {
        if (each.kind === 'delete') expect(ours.delete(each.id)).toBe(model.delete(each.id))
        else {
          ours.set(each.id, String(index))
          model.set(each.id, String(index))
        }
        expect(ours.size).toBe(model.size)
        for (const [known, value] of model) expect([ours.has(known), ours.get(known)]).toEqual([true, value])
      }
      expect([...ours.keys()].toSorted()).toEqual([...model.keys()].toSorted())
      expect([...ours.values()].toSorted()).toEqual([...model.values()].toSorted())
    }),
  )
})

it('grows with what it holds, and keeps it', () => {
  const map = new IdMap<number>()
  for (let each = 1; each <= 10_000; each += 1) map.set(each, -each)
  expect(map.size).toBe(10_000)
  for (let each = 1; each <= 10_000; each += 1) expect(map.get(each)).toBe(-each)
  expect(map.get(10_001)).toBeUndefined()
  expect(map.has(0)).toBe(false)
})

it('is empty once it is cleared', () => {
  const map = new IdMap<string>()
  for (const each of [1, 2, 65]) map.set(each, 'here')
  map.clear()
  expect([map.size, map.has(1), map.get(65), [...map.values()]]).toEqual([0, false, undefined, []])
})
