import { IsoplexError } from '../error/error.ts'

/** The element types that a tensor may have, each with the array that holds its values. */
export interface TensorArrays {
  readonly float32: Float32Array
  readonly float64: Float64Array
  readonly float16: Float16Array
  readonly int8: Int8Array
  readonly int16: Int16Array
  readonly int32: Int32Array
  readonly int64: BigInt64Array
  readonly uint8: Uint8Array
  readonly uint16: Uint16Array
  readonly uint32: Uint32Array
  readonly uint64: BigUint64Array
  /** One byte a value: 0 or 1. */
  readonly bool: Uint8Array
  readonly string: readonly string[]
}

/** The name of an element type, as ONNX Runtime's JavaScript API spells it. */
export type TensorType = keyof TensorArrays

/** One element as a plain value: `bigint` for the 64-bit integers, `boolean` for bool. */
export type TensorElement<Type extends TensorType = TensorType> = Type extends 'int64' | 'uint64'
  ? bigint
  : Type extends 'string'
    ? string
    : Type extends 'bool'
      ? boolean
      : number

/** A tensor as nested arrays of plain values; a scalar is the value itself. */
export type NestedElements<Type extends TensorType = TensorType> =
  | TensorElement<Type>
  | readonly NestedElements<Type>[]

type NumericType = Exclude<TensorType, 'string'>

interface NumericArrayConstructor<Type extends NumericType> {
  readonly BYTES_PER_ELEMENT: number
  new (length: number): TensorArrays[Type]
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): TensorArrays[Type]
}

/** The array constructor of each numeric element type. */
export const numericArrays: { readonly [Type in NumericType]: NumericArrayConstructor<Type> } = Object.freeze(
  {
    float32: Float32Array,
    float64: Float64Array,
    // By way of `globalThis`, so that an older browser without it can load this file and use the other types.
    float16: globalThis.Float16Array,
    int8: Int8Array,
    int16: Int16Array,
    int32: Int32Array,
    int64: BigInt64Array,
    uint8: Uint8Array,
    uint16: Uint16Array,
    uint32: Uint32Array,
    uint64: BigUint64Array,
    bool: Uint8Array,
  },
)

/** Every element type, in the order of the documentation. */
export const tensorTypes: readonly TensorType[] = Object.freeze([
  ...(Object.keys(numericArrays) as NumericType[]),
  'string' as const,
])

/** A shape with free dimensions: a number where it is fixed, a name or `null` where it takes any size. */
export type Shape = readonly (number | string | null)[]

// A tensor without elements is still as many rows as its shape says, and `rows()` makes each of them.
const emptyRowsLimit = 2 ** 16

/**
 * Values of one element type in row-major order, with their shape. Made by {@link tensor}; what an engine
 * takes and gives. The shape is frozen; the data is not copied, so whoever keeps it must not write to it.
 */
export class Tensor<Type extends TensorType = TensorType> {
  readonly type: Type
  readonly data: TensorArrays[Type]
  readonly dims: readonly number[]

  /** @internal Checked by {@link tensor}; adapters that trust their runtime may call it. */
  constructor(type: Type, data: TensorArrays[Type], dims: readonly number[]) {
    this.type = type
    this.data = data
    this.dims = Object.freeze([...dims])
  }

  /** How many elements the tensor has. */
  get size(): number {
    return this.data.length
  }

  /**
   * The element at a row-major position, as a plain value.
   *
   * @throws {RangeError} where the position is outside the tensor.
   */
  at(position: number): TensorElement<Type> {
    const value = this.data[position]
    if (value === undefined) {
      throw new RangeError(`Position ${position} is outside a tensor of ${this.size} elements.`)
    }
    return (this.type === 'bool' ? value !== 0 : value) as TensorElement<Type>
  }

  /** The only element of a tensor that has one. @throws {RangeError} where it has none or several. */
  item(): TensorElement<Type> {
    if (this.size !== 1)
      throw new RangeError(`item() needs one element; the shape is ${formatShape(this.dims)}.`)
    return this.at(0)
  }

  /**
   * The tensors along the first dimension, each without it: what a batch is made of. They are views of the
   * same memory, not copies (of texts, a slice). @throws {RangeError} on a scalar, which has no rows.
   */
  rows(): Tensor<Type>[] {
    const [count, ...rest] = this.dims
    if (count === undefined) throw new RangeError('A scalar has no rows.')
    const length = elementCount(rest)
    return Array.from(
      { length: count },
      (_, row) => new Tensor(this.type, sliceOf(this.data, row * length, length), rest),
    )
  }

  /** The tensor with another shape of as many elements, over the same memory. @throws {TypeError} otherwise. */
  reshape(dims: readonly number[]): Tensor<Type> {
    return tensor(this.type, this.data, dims)
  }

  /** The elements in row-major order as a plain array. */
  toArray(): TensorElement<Type>[] {
    const elements: readonly unknown[] = Array.from<unknown>(this.data)
    return (this.type === 'bool' ? elements.map((byte) => byte !== 0) : elements) as TensorElement<Type>[]
  }

  /** The elements as arrays nested by the shape. */
  toNested(): NestedElements<Type> {
    return this.dims.length === 0 ? this.at(0) : this.rows().map((row) => row.toNested())
  }
}

/**
 * Makes a tensor of values that are already laid out row by row. Nothing is copied.
 *
 * @example
 * tensor('float32', Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3])
 *
 * @throws {TypeError} where the type is unknown, the data is an array of another kind than the type's or of
 * another length than the shape asks for, or a dimension is not a whole number from 0; also where a tensor
 * has no elements but more than 65,536 empty rows, since a stranger could ask for billions with two numbers.
 */
export function tensor<Type extends TensorType>(
  type: Type,
  data: TensorArrays[NoInfer<Type>],
  dims: readonly number[],
): Tensor<Type> {
  if (!tensorTypes.includes(type)) {
    throw new TypeError(`"type" must be one of ${tensorTypes.join(', ')}; got ${String(type)}.`)
  }
  if (!holds(type, data)) {
    throw new TypeError(`"data" of a ${type} tensor must be ${arrayName(type)}; got ${kindOf(data)}.`)
  }
  for (const dim of dims) {
    if (!Number.isSafeInteger(dim) || dim < 0) {
      throw new TypeError(`"dims" must be whole numbers from 0; got ${formatShape(dims)}.`)
    }
  }
  const expected = elementCount(dims)
  if (data.length !== expected) {
    throw new TypeError(
      `"data" has ${data.length} elements; the shape ${formatShape(dims)} needs ${expected}.`,
    )
  }
  if (expected === 0 && elementCount(dims.slice(0, dims.indexOf(0))) > emptyRowsLimit) {
    throw new TypeError(`"dims" ${formatShape(dims)} make more empty rows than ${emptyRowsLimit}.`)
  }
  return new Tensor(type, data, dims)
}

/**
 * Whether a value is a tensor. It tests by form, so that a function's bundle and the process that runs it
 * may each have their own copy of isoplex.
 */
export function isTensor(value: unknown): value is Tensor {
  if (typeof value !== 'object' || value === null) return false
  const { type, data, dims } = value as Partial<Tensor>
  return type !== undefined && tensorTypes.includes(type) && Array.isArray(dims) && holds(type, data)
}

/** How many elements a shape has: the product of its dimensions, 1 for a scalar. */
export function elementCount(dims: readonly number[]): number {
  // A zero decides it: beside it the product of the others may be infinite, and their product no number.
  return dims.includes(0) ? 0 : dims.reduce((product, dim) => product * dim, 1)
}

/** A shape as people read it: `[2, 3]`, with names or `?` where a dimension is free. */
export function formatShape(dims: Shape): string {
  return `[${dims.map((dim) => dim ?? '?').join(', ')}]`
}

/**
 * Refuses a tensor that does not fit an input: `null` or a name in the expected shape takes any size.
 *
 * @throws {IsoplexError} `TENSOR_MISMATCH` with a message that names the input and both shapes or types.
 */
export function assertTensorFits(
  name: string,
  given: Pick<Tensor, 'type' | 'dims'>,
  expected: { readonly type: TensorType; readonly dims: Shape },
): void {
  const refuse = (what: string): never => {
    throw new IsoplexError('TENSOR_MISMATCH', `Input "${name}" ${what}.`, { details: { tensor: name } })
  }
  if (given.type !== expected.type) refuse(`takes ${expected.type} elements; got ${given.type}`)
  const fits =
    given.dims.length === expected.dims.length &&
    expected.dims.every((dim, axis) => typeof dim !== 'number' || dim === given.dims[axis])
  if (!fits) refuse(`takes the shape ${formatShape(expected.dims)}; got ${formatShape(given.dims)}`)
}

function holds(type: TensorType, data: unknown): boolean {
  if (type !== 'string') return numericArrays[type] !== undefined && data instanceof numericArrays[type]
  // By index, since `every` passes over the holes of a sparse array.
  return Array.isArray(data) && data.findIndex((value) => typeof value !== 'string') === -1
}

function kindOf(data: unknown): string {
  if (Array.isArray(data)) return 'an array of other values'
  return typeof data === 'object' && data !== null
    ? `a ${data.constructor?.name ?? 'bare object'}`
    : `${data}`
}

function arrayName(type: TensorType): string {
  if (type === 'string') return 'an array of strings'
  const kind = numericArrays[type]
  return kind === undefined
    ? 'a Float16Array, which this JavaScript engine lacks'
    : `a ${new kind(0).constructor.name}`
}

function sliceOf<Type extends TensorType>(
  data: TensorArrays[Type],
  start: number,
  length: number,
): TensorArrays[Type] {
  const view = ArrayBuffer.isView(data)
    ? (data as Uint8Array).subarray(start, start + length)
    : data.slice(start, start + length)
  return view as TensorArrays[Type]
}
