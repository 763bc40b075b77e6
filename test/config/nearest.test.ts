import fc from 'fast-check'
import { expect, it } from 'vitest'
import { nearestName } from '../../runtime/config/nearest.ts'

it.each([
  ['port', 'port', 0],
  ['prot', 'port', 2],
  ['hots', 'host', 2],
  ['', 'port', 4],
  ['replica', 'replicas', 1],
])('finds what %j may have meant', (wanted, name, edits) => {
  expect(nearestName(wanted, ['port', 'host', 'replicas'])).toEqual({ name, edits })
})

it('finds nothing among nothing', () => {
  expect(nearestName('port', [])).toBeNull()
})

it('counts the same edits there and back, none only for equals', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (left, right) => {
      const edits = nearestName(left, [right])?.edits
      expect(nearestName(right, [left])?.edits).toBe(edits)
      expect(edits === 0).toBe(left === right)
      expect(edits).toBeLessThanOrEqual(Math.max(left.length, right.length))
    }),
  )
})
