import { Kind, type TObject, type TSchema } from '@sinclair/typebox'
import { Value, type ValueError, ValueErrorType } from '@sinclair/typebox/value'
import { nearestName } from './nearest.ts'

/**
 * Says what is wrong with a value of some structure: the place in it as a JSON pointer, what belongs there, and what is
 * there; of a key that is not known, the nearest that is. `null` where nothing is wrong.
 */
export function structureMistake(schema: TSchema, value: unknown): string | null {
  // The deepest place says most; of a choice it is that of the alternative which the value looks like.
  const errors = [...Value.Errors(schema, value)].flatMap(unfold)
  const [first] = errors.toSorted((left, right) => rankOf(left) - rankOf(right))
  return first === undefined ? null : tell(first)
}

function unfold(error: ValueError): readonly ValueError[] {
  if (error.type !== ValueErrorType.Union || !isObject(error.value)) return [error]
  const index = branchesOf(error.schema).findIndex((branch) => branch[Kind] === 'Object')
  const inner = [...(error.errors[index] ?? [])].flatMap(unfold)
  return inner.length > 0 ? inner : [error]
}

function branchesOf(schema: TSchema): readonly TSchema[] {
  return (schema.anyOf ?? []) as readonly TSchema[]
}

/** A key that is not known is mostly why another one is missing. */
function rankOf({ type }: ValueError): number {
  return type === ValueErrorType.ObjectAdditionalProperties ? 0 : 1
}

function tell({ type, path, schema, value }: ValueError): string {
  if (type === ValueErrorType.ObjectAdditionalProperties) {
    const at = path.lastIndexOf('/')
    const key = path
      .slice(at + 1)
      .replaceAll('~1', '/')
      .replaceAll('~0', '~')
    const nearest = nearestName(key, Object.keys((schema as TObject).properties))
    return `${path} is not known; the nearest is ${path.slice(0, at)}/${nearest?.name ?? ''}.`
  }
  const place = path === '' ? 'It' : path
  const expected = typeof schema.expected === 'string' ? schema.expected : 'something else'
  if (value === undefined) return `${place} is missing; it must be ${expected}.`
  return `${place} must be ${expected}; it is ${preview(value)}.`
}

function preview(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
