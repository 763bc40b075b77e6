import { Kind, type TSchema } from '@sinclair/typebox'

/** Whether a schema has a default anywhere. */
export function hasDefault(schema: unknown): boolean {
  if (typeof schema !== 'object' || schema === null) return false
  return Object.hasOwn(schema, 'default') || Object.values(schema).some(hasDefault)
}

/**
 * Fills in the defaults of what is missing, in place: of the value itself, of the properties of objects and
 * intersections, and of the items of arrays. What is there stays as it is, whether or not it fits.
 */
export function fillDefaults(schema: TSchema, given: unknown): unknown {
  const value = given === undefined ? structuredClone(schema.default) : given
  if (typeof value !== 'object' || value === null) return value
  if (schema[Kind] === 'Object') fillProperties(schema.properties, value)
  else if (schema[Kind] === 'Intersect') for (const part of schema.allOf) fillDefaults(part, value)
  else if (schema[Kind] === 'Array' && Array.isArray(value)) {
    for (const item of value) fillDefaults(schema.items, item)
  }
  return value
}

function fillProperties(properties: Readonly<Record<string, TSchema>>, value: object): void {
  for (const [name, property] of Object.entries(properties)) {
    // Names such as `constructor` are found on every object, so only the value's own count.
    const own = Object.hasOwn(value, name) ? value[name as keyof typeof value] : undefined
    const filled = fillDefaults(property, own)
    if (own !== undefined || filled === undefined) continue
    Object.defineProperty(value, name, {
      value: filled,
      writable: true,
      enumerable: true,
      configurable: true,
    })
  }
}
