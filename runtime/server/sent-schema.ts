import type { JsonSchema } from '../build/manifest.ts'

/** Keywords whose members are schemas by names that an author has chosen. */
const namedSchemas: ReadonlySet<string> = new Set(['properties', 'patternProperties', '$defs'])
/** Keywords that hold values, and no schemas. */
const values: ReadonlySet<string> = new Set(['default', 'const', 'enum', 'examples'])

/** The schema of what is sent where this one is that of what is read: what has a default may be left out. */
export function schemaAsSent(schema: JsonSchema): JsonSchema {
  const members = Object.entries(schema).map(([keyword, member]) => {
    if (keyword === 'required') return [keyword, withoutDefaults(member, schema.properties)]
    if (values.has(keyword)) return [keyword, member]
    return [keyword, namedSchemas.has(keyword) ? eachAsSent(member) : partAsSent(member)]
  })
  return Object.fromEntries(members)
}

function partAsSent(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(partAsSent)
  return isRecord(part) ? schemaAsSent(part) : part
}

function eachAsSent(schemas: unknown): unknown {
  if (!isRecord(schemas)) return schemas
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, partAsSent(schema)]))
}

function withoutDefaults(required: unknown, properties: unknown): unknown {
  if (!Array.isArray(required) || !isRecord(properties)) return required
  return required.filter((name) => {
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined
    return !(isRecord(property) && Object.hasOwn(property, 'default'))
  })
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
