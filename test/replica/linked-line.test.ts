import fc from 'fast-check'
import { expect, it } from 'vitest'
import { LinkedLine, type Place } from '../../runtime/replica/linked-line.ts'

it('gives items in the order in which they came', () => {
  const line = new LinkedLine<string>()
  for (const item of ['a', 'b', 'c']) line.add(item)
  expect([line.first, line.last, line.length]).toEqual(['a', 'c', 3])
  expect([line.shift(), line.shift(), line.shift(), line.shift()]).toEqual(['a', 'b', 'c', undefined])
  expect([line.first, line.last, line.length]).toEqual([undefined, undefined, 0])
})

it('takes nothing out that is in another line', () => {
  const [line, other] = [new LinkedLine<string>(), new LinkedLine<string>()]
  const place = other.add('a')
  line.add('a')
  expect(line.delete(place)).toBe(false)
  expect([line.length, other.length]).toEqual([1, 1])
})

it('lets the item be taken out that was given last', () => {
  const line = new LinkedLine<number>()
  const places = [1, 2, 3].map((item) => line.add(item))
  const seen: number[] = []
  for (const item of line) {
    seen.push(item)
    const place = places[item - 1]
    if (place) line.delete(place)
  }
  expect([seen, line.length]).toEqual([[1, 2, 3], 0])
})

it('holds what a list of the same steps would hold', () => {
  const step = fc.oneof(
    fc.constant('add' as const),
    fc.constant('shift' as const),
    fc.nat({ max: 30 }).map((which) => ({ which })),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const line = new LinkedLine<number>()
      const list: Place<number>[] = []
      for (const [index, each] of steps.entries()) {
        if (each === 'add') list.push(line.add(index))
        else if (each === 'shift') expect(line.shift()).toBe(list.shift()?.item)
        else {
          const [gone] = list.splice(each.which, 1)
          if (gone) expect([line.delete(gone), line.delete(gone)]).toEqual([true, false])
        }
        expect([...line]).toEqual(list.map(({ item }) => item))
        expect([line.length, line.first, line.last]).toEqual([list.length, list[0]?.item, list.at(-1)?.item])
      }
    }),
  )
})
