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
  if (schema[Kind] === 'Object') {
    const properties = Object.entries(schema.properties as Record<string, TSchema>)
    return properties.flatMap(([name, property]) => findSlots(property, [...path, name]))
  }
  if (schema[Kind] === 'Array') return findSlots(schema.items as TSchema, [...path, everyItem])
  for (const [keyword, part] of Object.entries(schema)) {
    if (containsSlot(part)) {
      throw new TypeError(
        `file() and tensorOf() may stand in objects and arrays only; one stands under "${keyword}" at /${path.join('/')}.`,
      )
    }
  }
  return []
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
  const hasFileField =
    schema[Kind] === 'Object' &&
    findSlots(schema).some((slot) => slot.path.length > 0 && isFileSchema(slot.schema))
  const rawTypes = raw
    ? isFileSchema(raw.schema)
      ? raw.schema.mediaTypes
      : ['application/octet-stream']
    : []
  return ['application/json', ...(hasFileField ? ['multipart/form-data'] : []), ...rawTypes]
}

/** Replaces what stands in a slot, in place; a place that is not there or not of that shape is left alone. */
export function replaceInSlot(
  root: unknown,
  path: readonly string[],
  replace: (value: unknown, path: readonly string[]) => unknown,
  walked: readonly string[] = [],
): unknown {
  const [name, ...rest] = path
  if (name === undefined) return replace(root, walked)
  if (typeof root !== 'object' || root === null) return root
  const holder = root as Record<string, unknown>
  const names = name === everyItem ? (Array.isArray(root) ? Object.keys(root) : []) : [name]
  for (const each of names) {
    if (Object.hasOwn(holder, each)) {
      holder[each] = replaceInSlot(holder[each], rest, replace, [...walked, each])
    }
  }
  return root
}

function containsSlot(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (isFileSchema(value as TSchema) || isTensorSchema(value as TSchema)) return true
  return Object.values(value).some(containsSlot)
}
