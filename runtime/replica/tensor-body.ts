import type { TensorSchema } from '../define/schema.ts'
import {
  elementCount,
  formatShape,
  numericArrays,
  type Tensor,
  type TensorArrays,
  type TensorType,
  tensor,
} from '../engine/tensor.ts'
import { invalidInput } from './refusal.ts'

/** A tensor as JSON: values row by row. NaN and the infinities are written as text, 64-bit integers may be. */
export interface TensorJson {
  readonly type: TensorType
  readonly dims: readonly number[]
  readonly data: readonly (number | string | boolean)[]
}

/**
 * Reads a tensor's JSON form. A number beyond what a floating type can hold becomes an infinity, as it does in
 * any such array.
 *
 * @throws {IsoplexError} `INPUT_INVALID`
 */
export function tensorFromJson(schema: TensorSchema, json: unknown, pointer: string): Tensor {
  if (!isTensorJson(json)) {
    throw invalidInput(pointer, 'Expected a tensor: { "dims": [whole numbers], "data": [values row by row] }')
  }
  const type = schema.tensorType
  if (json.type !== undefined && json.type !== type) {
    const got = typeof json.type === 'string' ? json.type.slice(0, 32) : 'what is no text'
    throw invalidInput(`${pointer}/type`, `Expected ${type} elements; got ${got}`)
  }
  assertShape(schema, json.dims, pointer)
  const expected = elementCount(json.dims)
  if (json.data.length !== expected) {
    throw invalidInput(
      `${pointer}/data`,
      `The shape ${formatShape(json.dims)} needs ${expected} values; got ${json.data.length}`,
    )
  }
  return tensorOfShape(type, arrayOf(type, json.data, pointer), json.dims, `${pointer}/dims`)
}

/**
 * Reads a tensor's raw little-endian values; its one free dimension follows from their number. The tensor is a
 * view of the bytes where they are aligned.
 *
 * @throws {IsoplexError} `INPUT_INVALID` where the bytes do not fit the shape, or several dimensions are free.
 */
export function tensorFromBytes(
  schema: TensorSchema,
  bytes: Uint8Array<ArrayBuffer>,
  pointer: string,
): Tensor {
  const { tensorType: type, dims } = schema
  if (type === 'string') throw invalidInput(pointer, 'A string tensor comes as JSON only')
  const free = dims.filter((dim) => typeof dim !== 'number').length
  if (free > 1) throw invalidInput(pointer, `Raw bytes leave ${formatShape(dims)} open in ${free} dimensions`)
  const array = numericArrays[type]
  const count = bytes.length / array.BYTES_PER_ELEMENT
  const fixed = elementCount(dims.map((dim) => (typeof dim === 'number' ? dim : 1)))
  const size = free === 0 ? 1 : count / fixed
  if (!Number.isInteger(size) || fixed * size !== count) {
    throw invalidInput(
      pointer,
      `${bytes.length} bytes do not fill ${type} values of shape ${formatShape(dims)}`,
    )
  }
  const aligned = bytes.byteOffset % array.BYTES_PER_ELEMENT === 0 ? bytes : bytes.slice()
  const data = new array(aligned.buffer, aligned.byteOffset, count) as TensorArrays[typeof type]
  if (type === 'bool' && aligned.some((byte) => byte > 1)) {
    throw invalidInput(pointer, 'A bool tensor is made of the bytes 0 and 1')
  }
  return tensorOfShape(
    type,
    data,
    dims.map((dim) => (typeof dim === 'number' ? dim : size)),
    pointer,
  )
}

/** Makes the tensor; what is still wrong then is a shape without elements that spans too much. */
function tensorOfShape<Type extends TensorType>(
  type: Type,
  data: TensorArrays[NoInfer<Type>],
  dims: readonly number[],
  pointer: string,
): Tensor<Type> {
  try {
    return tensor(type, data, dims)
  } catch (error) {
    throw invalidInput(pointer, error instanceof Error ? error.message : String(error))
  }
}

/** A tensor in its JSON form. */
export function tensorToJson({ type, dims, data }: Tensor): TensorJson {
  return { type, dims, data: Array.from(data as ArrayLike<number | bigint | string>, toJsonElement(type)) }
}

/** A numeric tensor's values as bytes, without a copy. */
export function tensorToBytes({ data }: Tensor): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = data as Uint8Array<ArrayBuffer>
  return new Uint8Array(buffer, byteOffset, byteLength)
}

function toJsonElement(type: TensorType): (value: number | bigint | string) => number | string | boolean {
  if (type === 'bool') return (value) => value !== 0
  return (value) => {
    if (typeof value === 'bigint') return toSafeInteger(value)
    return typeof value === 'string' || Number.isFinite(value) ? value : String(value)
  }
}

function toSafeInteger(value: bigint): number | string {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value.toString()
}

function isTensorJson(
  value: unknown,
): value is Pick<TensorJson, 'dims' | 'data'> & { readonly type?: unknown } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'dims' in value &&
    'data' in value &&
    Array.isArray(value.dims) &&
    value.dims.every((dim) => Number.isSafeInteger(dim) && dim >= 0) &&
    Array.isArray(value.data)
  )
}

function assertShape(schema: TensorSchema, dims: readonly number[], pointer: string): void {
  const fits =
    dims.length === schema.dims.length &&
    schema.dims.every((dim, axis) => typeof dim !== 'number' || dim === dims[axis])
  if (!fits) {
    throw invalidInput(
      `${pointer}/dims`,
      `Expected the shape ${formatShape(schema.dims)}; got ${formatShape(dims.slice(0, 8))}`,
    )
  }
}

function arrayOf<Type extends TensorType>(
  type: Type,
  values: readonly unknown[],
  pointer: string,
): TensorArrays[Type] {
  const parse = parsers[type]
  const kind = type === 'string' ? Array<string> : numericArrays[type as Exclude<TensorType, 'string'>]
  // The parser of a type makes what the array of that type holds, which the compiler cannot follow.
  const elements = new kind(values.length) as unknown[] & TensorArrays[Type]
  for (let position = 0; position < values.length; position += 1) {
    const element = parse(values[position])
    if (element === undefined) throw invalidInput(`${pointer}/data/${position}`, `Expected a ${type} value`)
    elements[position] = element
  }
  return elements
}

const parsers: Readonly<Record<TensorType, (value: unknown) => number | bigint | string | undefined>> = {
  float16: parseFloating,
  float32: parseFloating,
  float64: parseFloating,
  int8: parseInteger(-(2 ** 7), 2 ** 7 - 1),
  int16: parseInteger(-(2 ** 15), 2 ** 15 - 1),
  int32: parseInteger(-(2 ** 31), 2 ** 31 - 1),
  uint8: parseInteger(0, 2 ** 8 - 1),
  uint16: parseInteger(0, 2 ** 16 - 1),
  uint32: parseInteger(0, 2 ** 32 - 1),
  int64: parseLong(-(2n ** 63n), 2n ** 63n - 1n),
  uint64: parseLong(0n, 2n ** 64n - 1n),
  bool: (value) =>
    typeof value === 'boolean' ? Number(value) : value === 0 || value === 1 ? value : undefined,
  string: (value) => (typeof value === 'string' ? value : undefined),
}

function parseFloating(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  return value === 'NaN' || value === 'Infinity' || value === '-Infinity' ? Number(value) : undefined
}

function parseInteger(minimum: number, maximum: number): (value: unknown) => number | undefined {
  return (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= minimum && value <= maximum
      ? value
      : undefined
}

function parseLong(minimum: bigint, maximum: bigint): (value: unknown) => bigint | undefined {
  return (value) => {
    const written = typeof value === 'string' && /^-?\d{1,20}$/.test(value)
    if (!written && !Number.isSafeInteger(value)) return undefined
    const long = BigInt(value as string | number)
    return long >= minimum && long <= maximum ? long : undefined
  }
}
