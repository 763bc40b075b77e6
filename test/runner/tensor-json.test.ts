import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { tensorOf } from '../../runtime/define/schema.ts'
import { type TensorType, tensor, tensorTypes } from '../../runtime/engine/tensor.ts'
import { tensorFromJson, tensorToJson } from '../../runtime/runner/tensor-json.ts'
import { issuesOf } from '../replica/refused.ts'
import { exactly, sample } from '../replica/sample-tensor.ts'

/** A tensor as JSON that has crossed the wire. */
function throughJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}

describe('a tensor as JSON', () => {
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

describe('any floats', () => {
  it('come back as they went out', () => {
    const schema = tensorOf('float64', ['n'])
    fc.assert(
      fc.property(fc.array(fc.double()), (values) => {
        // JSON has no -0.
        const data = Float64Array.from(values, (value) => (value === 0 ? 0 : value))
        const given = tensor('float64', data, [values.length])
        expect(exactly(tensorFromJson(schema, throughJson(tensorToJson(given)), ''))).toEqual(exactly(given))
      }),
    )
  })
})
