import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { tensorOf } from '../../runtime/define/schema.ts'
import { numericArrays, type TensorType, tensor, tensorTypes } from '../../runtime/engine/tensor.ts'
import { tensorFromBytes, tensorOfShape, tensorToBytes } from '../../runtime/runner/tensor-bytes.ts'
import { issuesOf } from '../replica/refused.ts'
import { exactly, sample } from '../replica/sample-tensor.ts'

type NumericType = keyof typeof numericArrays
const numericTypes = tensorTypes.filter((type): type is NumericType => type !== 'string')

describe('a tensor as raw bytes', () => {
  it.each(numericTypes.map((type) => [type]))('%s comes back as it went out', (type) => {
    const bytes = tensorToBytes(sample(type))
    expect(bytes.length).toBe(6 * numericArrays[type].BYTES_PER_ELEMENT)
    expect(exactly(tensorFromBytes(tensorOf(type, ['rows', 3]), bytes, ''))).toEqual(exactly(sample(type)))
  })

  it.each(numericTypes.map((type) => [type]))('%s is read wherever its bytes lie', (type) => {
    const bytes = tensorToBytes(sample(type))
    for (let offset = 0; offset < 9; offset += 1) {
      const larger = new Uint8Array(bytes.length + 20).fill(255)
      larger.set(bytes, offset)
      const view = larger.subarray(offset, offset + bytes.length)
      expect(exactly(tensorFromBytes(tensorOf(type, [2, null]), view, ''))).toEqual(exactly(sample(type)))
    }
  })

  it('is not copied where it is aligned', () => {
    const bytes = new Uint8Array(32)
    const read = tensorFromBytes(tensorOf('float32', ['n']), bytes.subarray(8, 24), '')
    expect((read.data as Float32Array).buffer).toBe(bytes.buffer)
    expect((read.data as Float32Array).byteOffset).toBe(8)
  })

  it('is read from wherever it lies in what a socket gave', () => {
    const values = Float32Array.of(1, -2, 3.5)
    for (let offset = 0; offset < 8; offset += 1) {
      const received = Buffer.alloc(offset + values.byteLength)
      received.set(new Uint8Array(values.buffer), offset)
      const read = tensorFromBytes(tensorOf('float32', ['n']), received.subarray(offset), '')
      expect(read.toArray()).toEqual([...values])
    }
  })

  it('is written without a copy, and only what belongs to the tensor', () => {
    const memory = Float32Array.of(1, 2, 3, 4, 5, 6)
    const [, row] = tensor('float32', memory, [2, 3]).rows()
    if (!row) throw new Error('No row.')
    const bytes = tensorToBytes(row)
    expect(bytes.buffer).toBe(memory.buffer)
    expect(bytes.length).toBe(12)
    expect([...new Float32Array(bytes.slice().buffer)]).toEqual([4, 5, 6])
  })

  it('tells the free dimension by the number of bytes', () => {
    const schema = tensorOf('uint8', [2, 'width', 3])
    expect(tensorFromBytes(schema, new Uint8Array(30), '').dims).toEqual([2, 5, 3])
    expect(tensorFromBytes(schema, new Uint8Array(0), '').dims).toEqual([2, 0, 3])
  })

  it('may have no free dimension, and no elements', () => {
    expect(tensorFromBytes(tensorOf('uint8', [2, 2]), new Uint8Array(4), '').dims).toEqual([2, 2])
    expect(tensorFromBytes(tensorOf('uint8', [0, 4]), new Uint8Array(0), '').dims).toEqual([0, 4])
    expect(tensorFromBytes(tensorOf('uint8', []), new Uint8Array(1), '').dims).toEqual([])
  })

  it.each<[string, TensorType, readonly (number | null)[], number, string]>([
    ['too few bytes', 'float32', [2, 2], 15, '15 bytes do not fill float32 values of shape [2, 2]'],
    ['too many bytes', 'float32', [2, 2], 17, '17 bytes do not fill float32 values of shape [2, 2]'],
    ['twice the bytes', 'float32', [2, 2], 32, '32 bytes do not fill float32 values of shape [2, 2]'],
    ['half a value', 'float32', [null, 2], 12, '12 bytes do not fill float32 values of shape [?, 2]'],
    ['no bytes', 'float32', [2, 2], 0, '0 bytes do not fill float32 values of shape [2, 2]'],
    ['bytes for no elements', 'uint8', [null, 0], 4, '4 bytes do not fill uint8 values of shape [?, 0]'],
    [
      'no bytes for a shape that leaves open how many',
      'uint8',
      [null, 0],
      0,
      '0 bytes do not fill uint8 values of shape [?, 0]',
    ],
    ['two free dimensions', 'uint8', [null, null], 4, 'Raw bytes leave [?, ?] open in 2 dimensions'],
    ['texts', 'string', [null], 4, 'A string tensor comes as JSON only'],
  ])('refuses %s', async (_, type, dims, length, message) => {
    const issues = await issuesOf(() => tensorFromBytes(tensorOf(type, dims), new Uint8Array(length), '/x'))
    expect(issues).toEqual([{ path: '/x', message }])
  })

  it('takes an empty body for no rows, however large one would be', () => {
    const schema = tensorOf('float32', ['batch', 3, 1024, 1024])
    expect(tensorFromBytes(schema, new Uint8Array(0), '').dims).toEqual([0, 3, 1024, 1024])
  })

  it('refuses millions of rows without elements', async () => {
    const schema = tensorOf('float32', [10_000_000, 0])
    const issues = await issuesOf(() => tensorFromBytes(schema, new Uint8Array(0), '/x'))
    expect(issues.map(({ path }) => path)).toEqual(['/x'])
  })

  it('refuses as bool what is neither 0 nor 1, which a model takes for anything', async () => {
    const schema = tensorOf('bool', [3])
    expect(await issuesOf(() => tensorFromBytes(schema, Uint8Array.of(0, 1, 2), '/x'))).toEqual([
      { path: '/x', message: 'A bool tensor is made of the bytes 0 and 1' },
    ])
  })
})

describe('any floats', () => {
  it('come back bit by bit', () => {
    const schema = tensorOf('float64', ['n'])
    fc.assert(
      fc.property(fc.array(fc.double()), (values) => {
        const given = tensor('float64', Float64Array.from(values), [values.length])
        expect(exactly(tensorFromBytes(schema, tensorToBytes(given), ''))).toEqual(exactly(given))
      }),
    )
  })
})

describe('tensorOfShape', () => {
  it('makes a tensor', () => {
    expect(tensorOfShape('int8', Int8Array.of(1, 2), [2], '').toArray()).toEqual([1, 2])
  })

  it('refuses at its place what no tensor can be made of', async () => {
    const issues = await issuesOf(() => tensorOfShape('int8', new Int8Array(), [2 ** 40, 0], '/x'))
    expect(issues.map(({ path }) => path)).toEqual(['/x'])
  })
})
