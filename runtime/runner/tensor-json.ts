import type { TensorSchema } from '../define/schema.ts'
import {
  elementCount,
  formatShape,
  numericArrays,
  type Tensor,
  type TensorArrays,
  type TensorType,
} from '../engine/tensor.ts'
import { invalidInput } from './refusal.ts'
import { tensorOfShape } from './tensor-bytes.ts'

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

/** A tensor in its JSON form. */
export function tensorToJson({ type, dims, data }: Tensor): TensorJson {
  return { type, dims, data: Array.from(data as ArrayLike<number | bigint | string>, toJsonElement(type)) }
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
