import { Kind, type TSchema } from '@sinclair/typebox'
import { type FileSchema, isFileSchema, isTensorSchema, type TensorSchema } from './schema.ts'

/** A place in a schema where a file or a tensor stands: what JSON alone cannot carry. */
export interface Slot {
  /** The way from the top: property names, and `*` for the items of an array. Empty: the schema itself. */
  readonly path: readonly string[]
  readonly schema: FileSchema | TensorSchema
}

const everyItem = '*'

/**
 * The slots of a schema, in the order of its properties. They may stand at the top, in properties of objects,
 * and in items of arrays.
 *
 * @throws {TypeError} where one stands elsewhere, such as in a union, with its path.
 */
export function findSlots(schema: TSchema, path: readonly string[] = []): Slot[] {
  if (isFileSchema(schema) || isTensorSchema(schema)) return [{ path, schema }]
  const { keyword, parts } = partsOf(schema)
  for (const [other, value] of Object.entries(schema)) {
    if (other !== keyword && containsSlot(value)) throw misplaced(`under "${other}"`, path)
  }
  const slots = parts.flatMap(([name, part]) => findSlots(part, [...path, name]))
  if (slots.length > 0 && refersTo(schema, schema.$id)) throw misplaced('in a recursive schema', path)
  return slots
}

/**
 * The slot that a raw body fills: the schema itself, or the one slot among an object's own properties where
 * nothing else is compulsory. `null` where a raw body would leave something out.
 */
export function rawSlot(schema: TSchema): Slot | null {
  const slots = findSlots(schema)
  const [slot] = slots
  if (!slot || slots.length > 1 || slot.path.includes(everyItem)) return null
  if (slot.path.length === 0) return slot
  const required = (schema.required ?? []) as readonly string[]
  return slot.path.length === 1 && required.every((name) => name === slot.path[0]) ? slot : null
}

/** The media types in which a body of this schema may come. */
export function acceptedMediaTypes(schema: TSchema): readonly string[] {
  const raw = rawSlot(schema)
  const hasField = findSlots(schema).some(({ path }) => path.length > 0)
  const rawTypes = raw
    ? isFileSchema(raw.schema)
      ? raw.schema.mediaTypes
      : ['application/octet-stream']
    : []
  return ['application/json', ...(hasField ? ['multipart/form-data'] : []), ...rawTypes]
}

/**
 * Replaces what stands in a slot, in place; a place that is not there or not of that shape is left alone.
 * `replace` gets the way to the place, with the positions in arrays; it must not keep that array.
 */
export function replaceInSlot(
  root: unknown,
  path: readonly string[],
  replace: (value: unknown, walked: readonly (string | number)[]) => unknown,
): unknown {
  const walked: (string | number)[] = []
  return visit(root)

  function visit(value: unknown): unknown {
    const name = path[walked.length]
    if (name === undefined) return replace(value, walked)
    if (typeof value !== 'object' || value === null) return value
    if (name === everyItem && Array.isArray(value)) {
      for (let position = 0; position < value.length; position += 1) step(value, position)
    } else if (Object.hasOwn(value, name)) step(value, name)
    return value
  }

  function step(parent: object, name: string | number): void {
    const holder = parent as Record<string | number, unknown>
    walked.push(name)
    holder[name] = visit(holder[name])
    walked.pop()
  }
}

/** The schemas in which a slot may stand, by their steps of a path, and the keyword that holds them. */
function partsOf(schema: TSchema): { keyword: string | null; parts: readonly [string, TSchema][] } {
  if (schema[Kind] === 'Object') return { keyword: 'properties', parts: Object.entries(schema.properties) }
  if (schema[Kind] === 'Array') return { keyword: 'items', parts: [[everyItem, schema.items]] }
  return { keyword: null, parts: [] }
}

function misplaced(where: string, path: readonly string[]): TypeError {
  return new TypeError(
    `file() and tensorOf() may stand in objects and arrays only; one stands ${where} at /${path.join('/')}.`,
  )
}

function containsSlot(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (isFileSchema(value as TSchema) || isTensorSchema(value as TSchema)) return true
  return Object.values(value).some(containsSlot)
}

function refersTo(value: unknown, id: string | undefined): boolean {
  if (id === undefined || typeof value !== 'object' || value === null) return false
  return ('$ref' in value && value.$ref === id) || Object.values(value).some((part) => refersTo(part, id))
}
