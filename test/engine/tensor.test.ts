import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  assertTensorFits,
  elementCount,
  formatShape,
  isTensor,
  type NestedElements,
  numericArrays,
  Tensor,
  type TensorType,
  tensor,
  tensorTypes,
} from '../../runtime/engine/tensor.ts'
import { IsoplexError } from '../../runtime/error/error.ts'

const shapes = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 4 })

/** A float32 tensor of any small shape, its elements numbered from 0. */
const tensors = shapes.map((dims) => tensor('float32', numbered(elementCount(dims)), dims))

describe('tensor', () => {
  it('makes a tensor of every element type', () => {
    expect(tensorTypes).toHaveLength(13)
    for (const type of Object.keys(numericArrays) as (keyof typeof numericArrays)[]) {
      const made = tensor(type, new numericArrays[type](6) as never, [2, 3])
      expect(made).toMatchObject({ type, dims: [2, 3], size: 6 })
    }
    expect(tensor('string', ['a', 'b'], [2])).toMatchObject({ type: 'string', dims: [2], size: 2 })
  })

  it('does not copy the data and freezes a copy of the shape', () => {
    const data = Float32Array.of(1, 2)
    const dims = [2]
    const made = tensor('float32', data, dims)
    dims[0] = 9
    expect(made.data).toBe(data)
    expect(made.dims).toEqual([2])
    expect(Object.isFrozen(made.dims)).toBe(true)
  })

  it('takes a scalar and tensors without elements', () => {
    expect(tensor('float32', Float32Array.of(7), []).item()).toBe(7)
    expect(tensor('float32', new Float32Array(0), [0, 3]).size).toBe(0)
    expect(tensor('float32', new Float32Array(0), [3, 0]).toNested()).toEqual([[], [], []])
  })

  it.each([
    ['negative', [-1], '[-1]'],
    ['a fraction', [1.5], '[1.5]'],
    ['not a number', [Number.NaN], '[NaN]'],
    ['infinite', [Number.POSITIVE_INFINITY], '[Infinity]'],
    ['past the safe integers', [2 ** 53], '[9007199254740992]'],
    ['text', ['2' as unknown as number], '[2]'],
  ])('refuses a dimension that is %s', (_, dims, shown) => {
    expect(() => tensor('float32', Float32Array.of(1), dims)).toThrow(
      new TypeError(`"dims" must be whole numbers from 0; got ${shown}.`),
    )
  })

  it('refuses dimensions with a hole', () => {
    const dims = [1]
    dims.length = 2
    expect(() => tensor('float32', Float32Array.of(1), dims)).toThrow(TypeError)
  })

  it('is not fooled by dimensions whose product overflows', () => {
    for (const dims of [[2 ** 40, 2 ** 40], [2 ** 32, 2 ** 32], Array<number>(30).fill(2 ** 52)]) {
      expect(() => tensor('float32', new Float32Array(0), dims)).toThrow(/"data" has 0 elements/)
    }
  })

  it('refuses a shape of billions of empty rows', () => {
    const empty = new Float32Array(0)
    for (const dims of [
      [2 ** 32, 0],
      [2 ** 9, 2 ** 9, 0],
      [...Array<number>(30).fill(2 ** 52), 0],
    ]) {
      expect(() => tensor('float32', empty, dims)).toThrow(/make more empty rows than 65536/)
    }
    expect(tensor('float32', empty, [2 ** 16, 0]).rows()).toHaveLength(2 ** 16)
  })

  it('takes a batch of none, however large its rows would be', () => {
    expect(tensor('float32', new Float32Array(0), [0, 3, 4096, 4096]).toNested()).toEqual([])
  })

  it('refuses data of another length than the shape asks for', () => {
    expect(() => tensor('float32', Float32Array.of(1, 2, 3), [2, 2])).toThrow(
      new TypeError('"data" has 3 elements; the shape [2, 2] needs 4.'),
    )
  })

  it.each<[TensorType, unknown, string]>([
    ['float32', Float64Array.of(1), '"data" of a float32 tensor must be a Float32Array; got a Float64Array.'],
    ['float16', Uint16Array.of(1), '"data" of a float16 tensor must be a Float16Array; got a Uint16Array.'],
    ['int64', Int32Array.of(1), '"data" of a int64 tensor must be a BigInt64Array; got a Int32Array.'],
    ['float32', [1], '"data" of a float32 tensor must be a Float32Array; got an array of other values.'],
    ['bool', [true], '"data" of a bool tensor must be a Uint8Array; got an array of other values.'],
    [
      'string',
      ['a', 1],
      '"data" of a string tensor must be an array of strings; got an array of other values.',
    ],
    ['string', 'a', '"data" of a string tensor must be an array of strings; got a.'],
    ['float32', null, '"data" of a float32 tensor must be a Float32Array; got null.'],
    ['float32', undefined, '"data" of a float32 tensor must be a Float32Array; got undefined.'],
    ['float32', Object.create(null), '"data" of a float32 tensor must be a Float32Array; got a bare object.'],
  ])('refuses a %s tensor of %o', (type, data, message) => {
    expect(() => tensor(type, data as never, [1])).toThrow(new TypeError(message))
  })

  it('refuses texts with a hole between them', () => {
    const texts = ['a']
    texts.length = 2
    expect(() => tensor('string', texts, [2])).toThrow(/must be an array of strings/)
  })

  it.each(['int4', 'complex64', 'toString', '__proto__', ''])('refuses the unknown type "%s"', (type) => {
    expect(() => tensor(type as TensorType, Uint8Array.of(1) as never, [1])).toThrow(/"type" must be one of/)
  })
})

describe('elements', () => {
  it('gives 64-bit integers as bigint, bools as booleans and texts as they are', () => {
    expect(tensor('int64', BigInt64Array.of(-(2n ** 63n)), [1]).item()).toBe(-(2n ** 63n))
    expect(tensor('uint64', BigUint64Array.of(2n ** 64n - 1n), [1]).item()).toBe(2n ** 64n - 1n)
    expect(tensor('bool', Uint8Array.of(1, 0), [2]).toArray()).toEqual([true, false])
    expect(tensor('string', ['a', 'b'], [2, 1]).toNested()).toEqual([['a'], ['b']])
    expect(tensor('float16', Float16Array.of(1.5), [1]).toArray()).toEqual([1.5])
  })

  it.each([-1, 2, 0.5, Number.NaN])('has no element at %d of two', (position) => {
    expect(() => tensor('float32', Float32Array.of(1, 2), [2]).at(position)).toThrow(RangeError)
  })

  it('gives the only element, and refuses where there are none or several', () => {
    expect(tensor('float32', Float32Array.of(3), [1, 1]).item()).toBe(3)
    expect(() => tensor('float32', Float32Array.of(1, 2), [2]).item()).toThrow('the shape is [2]')
    expect(() => tensor('float32', new Float32Array(0), [0]).item()).toThrow(RangeError)
  })

  it('gives as an array what it gives one by one', () => {
    fc.assert(
      fc.property(fc.uint8Array({ max: 1, maxLength: 20 }), (bytes) => {
        const made = tensor('bool', Uint8Array.from(bytes), [bytes.length])
        expect(made.toArray()).toEqual(Array.from(bytes, (_, position) => made.at(position)))
      }),
    )
  })
})

describe('rows', () => {
  it('are views of the same memory', () => {
    const data = Float32Array.of(1, 2, 3, 4)
    const [, second] = tensor('float32', data, [2, 2]).rows()
    data[2] = 9
    expect(second?.toArray()).toEqual([9, 4])
  })

  it('of a scalar are refused', () => {
    expect(() => tensor('float32', Float32Array.of(1), []).rows()).toThrow('A scalar has no rows.')
  })

  it('are as many as the first dimension and hold all elements in order', () => {
    fc.assert(
      fc.property(tensors, (made) => {
        fc.pre(made.dims.length > 0)
        const rows = made.rows()
        expect(rows).toHaveLength(made.dims[0] ?? Number.NaN)
        expect(rows.flatMap((row) => row.toArray())).toEqual(made.toArray())
        for (const row of rows) expect(row.dims).toEqual(made.dims.slice(1))
      }),
    )
  })
})

describe('reshape', () => {
  it('keeps the memory and the elements, and leads back', () => {
    fc.assert(
      fc.property(tensors, (made) => {
        const flat = made.reshape([made.size])
        expect(flat.data).toBe(made.data)
        expect(flat.toArray()).toEqual(made.toArray())
        expect(flat.reshape(made.dims)).toEqual(made)
      }),
    )
  })

  it('refuses a shape of another size', () => {
    expect(() => tensor('float32', Float32Array.of(1, 2), [2]).reshape([3])).toThrow(TypeError)
  })
})

describe('toNested', () => {
  it('nests as deep as there are dimensions, and flattens to the elements', () => {
    fc.assert(
      fc.property(tensors, (made) => {
        const nested = made.toNested()
        expect(flatten(nested)).toEqual(made.toArray())
        expect(nestedShape(nested)).toEqual(reachable(made.dims))
      }),
    )
  })
})

describe('elementCount', () => {
  it('is the product, 1 for a scalar and 0 where any dimension is', () => {
    expect(elementCount([])).toBe(1)
    expect(elementCount([2, 3, 4])).toBe(24)
    expect(elementCount([...Array<number>(30).fill(2 ** 52), 0])).toBe(0)
  })
})

describe('formatShape', () => {
  it('shows names, and a question mark where a free dimension has none', () => {
    expect(formatShape(['batch', null, 3])).toBe('[batch, ?, 3]')
    expect(formatShape([])).toBe('[]')
  })
})

describe('isTensor', () => {
  it('knows a tensor by its form, whoever made it', () => {
    const made = tensor('float32', Float32Array.of(1), [1])
    expect(isTensor(made)).toBe(true)
    expect(isTensor({ type: made.type, data: made.data, dims: made.dims })).toBe(true)
    expect(isTensor(new Tensor('string', ['a'], [1]))).toBe(true)
  })

  it.each([
    null,
    undefined,
    'float32',
    {},
    { type: 'float32', data: [1], dims: [1] },
    { type: 'float32', data: Float32Array.of(1) },
    { type: 'toString', data: Float32Array.of(1), dims: [1] },
    { type: 'string', data: [1], dims: [1] },
  ])('does not take %o for one', (value) => {
    expect(isTensor(value)).toBe(false)
  })
})

describe('assertTensorFits', () => {
  const given = tensor('float32', numbered(6), [2, 3])

  it('takes any size where a dimension is free', () => {
    fc.assert(
      fc.property(shapes, fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }), (dims, free) => {
        const fitting = tensor('float32', numbered(elementCount(dims)), dims)
        const expected = dims.map((dim, axis) => (free[axis] ? `axis_${axis}` : dim))
        assertTensorFits('x', fitting, { type: 'float32', dims: expected })
        assertTensorFits('x', fitting, { type: 'float32', dims: dims.map(() => null) })
      }),
    )
  })

  it.each<[readonly (number | string | null)[]]>([[[2]], [[2, 4]], [[2, 3, 1]], [['batch', 2]], [[]]])(
    'names the input and both shapes where %o is expected',
    (dims) => {
      expect(() => assertTensorFits('pixels', given, { type: 'float32', dims })).toThrow(
        new IsoplexError(
          'TENSOR_MISMATCH',
          `Input "pixels" takes the shape ${formatShape(dims)}; got [2, 3].`,
          {
            details: { tensor: 'pixels' },
          },
        ),
      )
    },
  )

  it('names both element types', () => {
    expect(() => assertTensorFits('pixels', given, { type: 'uint8', dims: [2, 3] })).toThrow(
      'Input "pixels" takes uint8 elements; got float32.',
    )
  })
})

function numbered(count: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: count }, (_, index) => index)
}

/** The dimensions that nested arrays show: none beyond the first that is 0. */
function reachable(dims: readonly number[]): readonly number[] {
  const zero = dims.indexOf(0)
  return zero === -1 ? dims : dims.slice(0, zero + 1)
}

function flatten(nested: NestedElements): readonly unknown[] {
  return Array.isArray(nested) ? nested.flatMap(flatten) : [nested]
}

function nestedShape(nested: NestedElements): number[] {
  if (!Array.isArray(nested)) return []
  const [first] = nested
  return first === undefined ? [nested.length] : [nested.length, ...nestedShape(first)]
}
