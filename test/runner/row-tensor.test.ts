import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { tensor } from '../../runtime/engine/tensor.ts'
import { joinRows, sliceRows } from '../../runtime/runner/row-tensor.ts'

const numbers = tensor('int16', Int16Array.of(1, 2, 3, 4, 5, 6), [3, 2])
const texts = tensor('string', ['a', 'b', 'c'], [3])

describe('rows', () => {
  it('are taken out as a view of the same memory', () => {
    const part = sliceRows(numbers, 1, 3)
    expect([part.dims, [...part.data]]).toEqual([
      [2, 2],
      [3, 4, 5, 6],
    ])
    expect((part.data as Int16Array).buffer).toBe(numbers.data.buffer)
    expect(sliceRows(texts, 1, 3).data).toEqual(['b', 'c'])
  })

  it('that are cut anywhere are the same when they are joined again', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 3 }), (cuts) => {
        for (const whole of [numbers, texts]) {
          const bounds = [0, ...cuts.toSorted(), 3]
          const parts = bounds.slice(1).map((end, index) => sliceRows(whole, bounds[index] ?? 0, end))
          expect(joinRows(parts)).toEqual(whole)
        }
      }),
    )
  })

  it('of 64-bit integers and without elements are joined, too', () => {
    const long = tensor('int64', BigInt64Array.of(1n, 2n), [2])
    expect(joinRows([long, long])?.toArray()).toEqual([1n, 2n, 1n, 2n])
    const empty = tensor('float32', new Float32Array(), [2, 0])
    expect(joinRows([empty, empty])?.dims).toEqual([4, 0])
  })

  it('that differ in anything but their number are not joined', () => {
    expect(joinRows([])).toBeNull()
    expect(joinRows([numbers, tensor('int16', new Int16Array(3), [1, 3])])).toBeNull()
    expect(joinRows([numbers, tensor('int32', new Int32Array(2), [1, 2])])).toBeNull()
    const scalar = tensor('int16', new Int16Array(1), [])
    expect(joinRows([scalar, scalar])).toBeNull()
  })
})
