import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { tensorOf } from '../../runtime/define/schema.ts'
import {
  numericArrays,
  type Tensor,
  type TensorArrays,
  type TensorType,
  tensor,
  tensorTypes,
} from '../../runtime/engine/tensor.ts'
import {
  tensorFromBytes,
  tensorFromJson,
  tensorToBytes,
  tensorToJson,
} from '../../runtime/replica/tensor-body.ts'
import { issuesOf } from './refused.ts'

type NumericType = keyof typeof numericArrays
const numericTypes = tensorTypes.filter((type): type is NumericType => type !== 'string')

/** Values of each type that are easily got wrong: bounds, and what is no plain number in JSON. */
const samples: { readonly [Type in TensorType]: TensorArrays[Type] } = {
  float32: Float32Array.of(0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
  float64: Float64Array.of(0.1, 5e-324, 1.7976931348623157e308, Number.NaN, -Infinity, Infinity),
  float16: Float16Array.of(65504, -65504, 6e-8, Number.NaN, Infinity, -Infinity),
  int8: Int8Array.of(-128, 127, 0, 1, -1, 5),
  int16: Int16Array.of(-32768, 32767, 0, 1, -1, 5),
  int32: Int32Array.of(-2147483648, 2147483647, 0, 1, -1, 5),
  int64: BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n, 2n ** 53n, -(2n ** 53n) - 1n, 0n, 5n),
  uint8: Uint8Array.of(0, 255, 1, 2, 3, 4),
  uint16: Uint16Array.of(0, 65535, 1, 2, 3, 4),
  uint32: Uint32Array.of(0, 4294967295, 1, 2, 3, 4),
  uint64: BigUint64Array.of(0n, 2n ** 64n - 1n, 2n ** 53n, 2n ** 53n - 1n, 1n, 2n),
  bool: Uint8Array.of(0, 1, 1, 0, 0, 1),
  string: ['', 'ä\u2028', '1', 'NaN', 'true', '\ud83d\ude00'],
}

function sample(type: TensorType): Tensor {
  return tensor(type, samples[type], [2, 3])
}

/** A tensor as JSON that has crossed the wire. */
function throughJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}

/** The values as they are told apart: NaN is NaN, and -0 is not 0. */
function exactly(value: Tensor): unknown {
  return { type: value.type, dims: value.dims, data: Array.from(value.data as ArrayLike<unknown>) }
}

describe('as JSON', () => {
  it.each(tensorTypes.map((type) => [type]))('%s comes back as it went out', (type) => {
    const schema = tensorOf(type, ['rows', 3])
    const back = tensorFromJson(schema, throughJson(tensorToJson(sample(type))), '')
    expect(exactly(back)).toEqual(exactly(sample(type)))
  })

  it('writes -0 as 0, as JSON does', () => {
    const json = throughJson(tensorToJson(tensor('float32', Float32Array.of(-0), [1])))
    expect(tensorFromJson(tensorOf('float32', [1]), json, '').toArray()).toEqual([0])
  })

  it('writes NaN and the infinities as text', () => {
    expect(tensorToJson(tensor('float32', Float32Array.of(1, NaN, Infinity, -Infinity), [4]))).toEqual({
      type: 'float32',
      dims: [4],
      data: [1, 'NaN', 'Infinity', '-Infinity'],
    })
  })

  it('writes 64-bit integers as numbers where a number is exact, else as text', () => {
    const values = BigInt64Array.of(1n, 2n ** 53n - 1n, 2n ** 53n, -(2n ** 63n))
    expect(tensorToJson(tensor('int64', values, [4])).data).toEqual([
      1,
      9007199254740991,
      '9007199254740992',
      '-9223372036854775808',
    ])
  })

  it('writes bool as true and false, and reads 0 and 1 as well', () => {
    expect(tensorToJson(sample('bool')).data).toEqual([false, true, true, false, false, true])
    const read = tensorFromJson(tensorOf('bool', [4]), { dims: [4], data: [true, 0, 1, false] }, '')
    expect(read.toArray()).toEqual([true, false, true, false])
  })

  it('may leave the type out, which the schema knows', () => {
    expect(tensorFromJson(tensorOf('int8', [1]), { dims: [1], data: [5] }, '').toArray()).toEqual([5])
  })

  it('takes a scalar, and a tensor without elements', () => {
    expect(tensorFromJson(tensorOf('float32', []), { dims: [], data: [5] }, '').item()).toBe(5)
    expect(tensorFromJson(tensorOf('float32', [null, 3]), { dims: [0, 3], data: [] }, '').dims).toEqual([
      0, 3,
    ])
  })

  it('takes a number beyond the type’s range for an infinity, as JSON itself does', () => {
    const body = JSON.parse('{"dims":[3],"data":[1e39,-1e39,1e999]}')
    expect(tensorFromJson(tensorOf('float32', [3]), body, '').toArray()).toEqual([
      Infinity,
      -Infinity,
      Infinity,
    ])
  })

  it('takes every 64-bit integer, as text or as an exact number', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        const schema = tensorOf('int64', [1])
        expect(tensorFromJson(schema, { dims: [1], data: [String(value)] }, '').item()).toBe(value)
        expect(
          tensorFromJson(
            schema,
            throughJson(tensorToJson(tensor('int64', BigInt64Array.of(value), [1]))),
            '',
          ).item(),
        ).toBe(value)
      }),
    )
  })

  const notATensor = 'Expected a tensor: { "dims": [whole numbers], "data": [values row by row] }'
  it.each<[string, unknown, string, string]>([
    ['null', null, '/x', notATensor],
    ['a bare array', [1, 2, 3], '/x', notATensor],
    ['a text', 'AAAA', '/x', notATensor],
    ['no dims', { data: [1, 2, 3] }, '/x', notATensor],
    ['no data', { dims: [3] }, '/x', notATensor],
    ['a negative dimension', { dims: [-3], data: [1, 2, 3] }, '/x', notATensor],
    ['a broken dimension', { dims: [1.5, 2], data: [1, 2, 3] }, '/x', notATensor],
    ['a dimension as text', { dims: ['3'], data: [1, 2, 3] }, '/x', notATensor],
    ['data as an object', { dims: [3], data: { length: 3 } }, '/x', notATensor],
    [
      'another type',
      { type: 'int8', dims: [3], data: [1, 2, 3] },
      '/x/type',
      'Expected float32 elements; got int8',
    ],
    [
      'a type that cannot become a text',
      JSON.parse('{"type":{"toString":1,"valueOf":1},"dims":[3],"data":[1,2,3]}'),
      '/x/type',
      'Expected float32 elements; got what is no text',
    ],
    ['fewer dimensions', { dims: [], data: [1] }, '/x/dims', 'Expected the shape [3]; got []'],
    ['another dimension', { dims: [2], data: [1, 2] }, '/x/dims', 'Expected the shape [3]; got [2]'],
    ['too few values', { dims: [3], data: [1, 2] }, '/x/data', 'The shape [3] needs 3 values; got 2'],
    ['nested values', { dims: [3], data: [[1], [2], [3]] }, '/x/data/0', 'Expected a float32 value'],
    ['a value of text', { dims: [3], data: [1, '2', 3] }, '/x/data/1', 'Expected a float32 value'],
    ['null for a value', { dims: [3], data: [1, 2, null] }, '/x/data/2', 'Expected a float32 value'],
    ['a bool for a value', { dims: [3], data: [1, 2, true] }, '/x/data/2', 'Expected a float32 value'],
  ])('refuses %s', async (_, json, path, message) => {
    expect(await issuesOf(() => tensorFromJson(tensorOf('float32', [3]), json, '/x'))).toEqual([
      { path, message },
    ])
  })

  it('shows a hostile number of dimensions in part only', async () => {
    const json = { dims: new Array(100_000).fill(1), data: [1] }
    const [issue] = await issuesOf(() => tensorFromJson(tensorOf('float32', [3]), json, ''))
    expect(issue).toEqual({ path: '/dims', message: 'Expected the shape [3]; got [1, 1, 1, 1, 1, 1, 1, 1]' })
  })

  it('refuses billions of rows without elements', async () => {
    const schema = tensorOf('float32', [null, null])
    const issues = await issuesOf(() => tensorFromJson(schema, { dims: [2 ** 40, 0], data: [] }, '/x'))
    expect(issues.map(({ path }) => path)).toEqual(['/x/dims'])
  })

  it('refuses a shape that no memory could hold, before it looks for the memory', async () => {
    const schema = tensorOf('float32', [null, null])
    const json = { dims: [2 ** 50, 2 ** 50], data: [1] }
    expect((await issuesOf(() => tensorFromJson(schema, json, ''))).map(({ path }) => path)).toEqual([
      '/data',
    ])
  })

  it.each<[TensorType, readonly unknown[]]>([
    ['int8', [128, -129, 1.5, '1', null, true]],
    ['uint8', [-1, 256, 0.5, '1']],
    ['int16', [32_768, -32_769]],
    ['uint16', [-1, 65_536]],
    ['int32', [2 ** 31, -(2 ** 31) - 1]],
    ['uint32', [-1, 2 ** 32]],
    [
      'int64',
      [2 ** 53, 1.5, '9223372036854775808', '-9223372036854775809', '1.0', '0x10', ' 1', '', '1n', null],
    ],
    ['uint64', [-1, '-1', '18446744073709551616', '99999999999999999999999']],
    ['bool', [2, -1, 'true', null, 0.5]],
    ['string', [1, null, true, ['a']]],
    ['float64', ['1', 'nan', '+Infinity', null, false]],
    ['float16', ['1', null]],
  ])('refuses as %s each of %j', async (type, values) => {
    for (const value of values) {
      const json = { dims: [1], data: [value] }
      expect(await issuesOf(() => tensorFromJson(tensorOf(type, [1]), json, ''))).toEqual([
        { path: '/data/0', message: `Expected a ${type} value` },
      ])
    }
  })
})

describe('as raw bytes', () => {
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

describe('any tensor', () => {
  const numbers = fc.array(fc.double({ noDefaultInfinity: false }), { minLength: 0, maxLength: 24 })

  it('of floats is the same by either way', () => {
    fc.assert(
      fc.property(numbers, (values) => {
        const given = tensor(
          'float64',
          Float64Array.from(values, (value) => (value === 0 ? 0 : value)),
          [values.length],
        )
        const schema = tensorOf('float64', ['n'])
        const byJson = tensorFromJson(schema, throughJson(tensorToJson(given)), '')
        const byBytes = tensorFromBytes(schema, tensorToBytes(given), '')
        expect(exactly(byBytes)).toEqual(exactly(given))
        expect(exactly(byJson)).toEqual(exactly(given))
      }),
    )
  })
})
