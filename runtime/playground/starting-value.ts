import {
  choicesOf,
  isRecord,
  type JsonSchema,
  numberOf,
  propertiesOf,
  requiredOf,
  resolveSchema,
  type SchemaDocument,
  variantsOf,
} from './schema.ts'

/** Deeper than this no value is made up: a schema may hold itself. */
const deepestValue = 8

/** The examples that a schema gives for the whole of its value. */
export function examplesOf(schema: JsonSchema): readonly unknown[] {
  if (Array.isArray(schema.examples)) return schema.examples
  return 'example' in schema ? [schema.example] : []
}

/**
 * What a form starts with: the schema's first example, else its default, else the members that must be there.
 * Where nobody can know, it is `undefined`: the form then asks for it.
 */
export function startingValue(schema: JsonSchema, document: SchemaDocument): unknown {
  return valueAt(schema, document, 0)
}

/** What a form puts where somebody adds a value: {@link startingValue}, else an empty value of the type. */
export function addedValue(schema: JsonSchema, document: SchemaDocument): unknown {
  const resolved = resolveSchema(schema, document)
  const value = startingValue(resolved, document)
  return value === undefined ? emptyValue(resolved, document) : value
}

function valueAt(schema: JsonSchema, document: SchemaDocument, depth: number): unknown {
  if (depth > deepestValue) return undefined
  const resolved = resolveSchema(schema, document)
  const [example] = examplesOf(resolved)
  if (example !== undefined) return example
  if (resolved.default !== undefined) return resolved.default
  if ('x-tensor' in resolved) return startingTensor(resolved['x-tensor'])
  const choices = choicesOf(resolved)
  if (choices !== null) return choices.length === 1 ? choices[0] : undefined
  const [variant] = variantsOf(resolved) ?? []
  if (variant !== undefined) return valueAt(variant, document, depth + 1)
  if (resolved.type === 'object' || 'properties' in resolved) return startingObject(resolved, document, depth)
  // A box that nobody has ticked says no.
  if (resolved.type === 'boolean') return false
  return resolved.type === 'array' ? startingArray(resolved, document, depth) : undefined
}

function startingObject(schema: JsonSchema, document: SchemaDocument, depth: number): unknown {
  const members = Object.entries(propertiesOf(schema)).flatMap(([name, property]) => {
    const isWanted =
      requiredOf(schema).includes(name) || resolveSchema(property, document).default !== undefined
    const value = isWanted ? valueAt(property, document, depth + 1) : undefined
    return value === undefined ? [] : [[name, value] as const]
  })
  return Object.fromEntries(members)
}

/** As many items as there must be, where that is a handful. */
function startingArray(schema: JsonSchema, document: SchemaDocument, depth: number): unknown {
  const count = numberOf(schema, 'minItems') ?? 0
  const places = Array.isArray(schema.prefixItems) ? (schema.prefixItems as readonly JsonSchema[]) : []
  if (places.length > 0) return places.map((place) => valueAt(place, document, depth + 1) ?? null)
  if (count === 0) return []
  if (count > 16) return undefined
  const item = isRecord(schema.items) ? valueAt(schema.items, document, depth + 1) : undefined
  return item === undefined ? undefined : new Array<unknown>(count).fill(item)
}

/** Free dimensions begin as one. */
function startingTensor(mark: unknown): unknown {
  const given = isRecord(mark) && Array.isArray(mark.dims) ? mark.dims : []
  const dims = given.map((dim: unknown) => (typeof dim === 'number' ? dim : 1))
  const count = dims.reduce((product, dim) => product * dim, 1)
  const zero =
    isRecord(mark) && mark.type === 'string' ? '' : isRecord(mark) && mark.type === 'bool' ? false : 0
  return count > 1_000_000 ? undefined : { dims, data: new Array<unknown>(count).fill(zero) }
}

function emptyValue(schema: JsonSchema, document: SchemaDocument): unknown {
  if (schema.type === 'array') {
    const count = numberOf(schema, 'minItems') ?? 0
    const item = isRecord(schema.items) && count <= 16 ? addedValue(schema.items, document) : undefined
    return item === undefined ? [] : new Array<unknown>(count).fill(item)
  }
  if (schema.type === 'object') return {}
  if (schema.type === 'boolean') return false
  if (schema.type === 'number' || schema.type === 'integer') return numberOf(schema, 'minimum') ?? 0
  return schema.type === 'string' ? '' : null
}
