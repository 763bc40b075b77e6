import {
  type TArray,
  type TInteger,
  type TLiteral,
  type TNull,
  type TString,
  type TUnion,
  Type,
} from '@sinclair/typebox'

/** What a key's schema says to people: what the key is for, and what it takes. */
export interface Explanation {
  readonly description: string
  readonly expected: string
  /** Whether it may hold a password, so that no message shows it. @default false */
  readonly secret?: boolean
}

/** A whole number within bounds. */
export function integer(description: string, minimum: number, maximum: number): TInteger {
  return Type.Integer({ description, expected: `an integer from ${minimum} to ${maximum}`, minimum, maximum })
}

/** A text of a pattern. */
export function text(pattern: string, explanation: Explanation): TString {
  return Type.String({ ...explanation, pattern })
}

/** A list of texts of a pattern. */
export function list(pattern: string, explanation: Explanation): TArray<TString> {
  return Type.Array(Type.String({ pattern }), { ...explanation })
}

/** One of several words. */
export function choice<Value extends string>(
  description: string,
  values: readonly Value[],
): TUnion<TLiteral<Value>[]> {
  const literals = values.map((value) => Type.Literal(value))
  return Type.Union(literals, { description, expected: `one of ${values.join(', ')}` })
}

/** What may be unset as well. */
export function orNull<Schema extends TString | TInteger | TUnion<TLiteral<string>[]>>(
  schema: Schema,
): TUnion<[Schema, TNull]> {
  const { description = '', expected, secret = false } = schema
  return Type.Union([schema, Type.Null()], { description, expected, secret })
}
