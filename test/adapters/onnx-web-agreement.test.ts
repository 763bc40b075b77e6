import { describe, expect, it } from 'vitest'
import { findDeviation, tolerance } from '../../adapters/onnx-web/agreement.ts'
import { holdTensor } from '../../runtime/engine/device-tensor.ts'
import { type Tensor, tensor } from '../../runtime/engine/tensor.ts'

const floats = (...elements: number[]): Tensor =>
  tensor('float32', Float32Array.from(elements), [elements.length])
const { NaN: none, POSITIVE_INFINITY: infinity } = Number

describe('findDeviation', () => {
  it.each<[string, Tensor, Tensor]>([
    ['equal elements', floats(1, -2, 0), floats(1, -2, 0)],
    ['zeros of either sign', floats(0, -0), floats(-0, 0)],
    [
      'NaN and infinities where they belong',
      floats(none, infinity, -infinity),
      floats(none, infinity, -infinity),
    ],
    ['what is near for the element', floats(1000 + 9, 0), floats(1000, 0)],
    ['what is near for the tensor', floats(1000, 4), floats(1000, 0)],
    ['tensors without elements', floats(), floats()],
    ['texts', tensor('string', ['a'], [1]), tensor('string', ['a'], [1])],
  ])('takes %s', async (_, given, expected) => {
    expect(await findDeviation({ y: given }, { y: expected })).toBeNull()
  })

  it.each<[string, Tensor, Tensor, string]>([
    ['an element too far', floats(1, 3), floats(1, 2), 'has 3 instead of 2 at position 1'],
    ['small values that are all wrong', floats(2e-6, 1e-6), floats(1e-6, 2e-6), 'at position 0'],
    ['NaN instead of a number', floats(none), floats(1), 'has NaN instead of 1 at position 0'],
    ['a number instead of NaN', floats(1), floats(none), 'has 1 instead of NaN at position 0'],
    ['the other infinity', floats(-infinity), floats(infinity), 'has -Infinity instead of Infinity'],
    ['a large number instead of an infinity', floats(3e38), floats(infinity), 'instead of Infinity'],
    ['an infinity instead of a number', floats(infinity, 1), floats(1e30, 1), 'has Infinity instead of'],
    [
      'an integer that is one off',
      tensor('int32', Int32Array.of(1000), [1]),
      tensor('int32', Int32Array.of(1001), [1]),
      'has 1000 instead of 1001',
    ],
    [
      'another bool',
      tensor('bool', Uint8Array.of(1), [1]),
      tensor('bool', Uint8Array.of(0), [1]),
      'has true instead of false',
    ],
    ['another text', tensor('string', ['a'], [1]), tensor('string', ['b'], [1]), 'has a instead of b'],
    [
      'another shape',
      floats(1, 2),
      tensor('float32', Float32Array.of(1, 2), [2, 1]),
      'is float32 [2] instead of float32 [2, 1]',
    ],
    [
      'another type',
      floats(1),
      tensor('float64', Float64Array.of(1), [1]),
      'is float32 [1] instead of float64 [1]',
    ],
  ])('finds %s', async (_, given, expected, fault) => {
    expect(await findDeviation({ y: given }, { y: expected })).toContain(fault)
  })

  it('finds an output that is not there', async () => {
    expect(await findDeviation({}, { y: floats(1) })).toBe('there is no output "y"')
  })

  it('reads what lies on a device', async () => {
    const [right, wrong] = [holdTensor(floats(1)), holdTensor(floats(2))]
    expect(await findDeviation({ y: right }, { y: floats(1) })).toBeNull()
    expect(await findDeviation({ y: wrong }, { y: holdTensor(floats(1)) })).toContain('has 2 instead of 1')
  })

  it('keeps its distance: twice the tolerance is too far', async () => {
    const off = 1 + 2 * (tolerance.ofElement + tolerance.ofTensor)
    expect(await findDeviation({ y: floats(off) }, { y: floats(1) })).not.toBeNull()
  })
})
