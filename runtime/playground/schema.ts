/** A JSON Schema (draft 2020-12 as far as functions make it). */
export type JsonSchema = Readonly<Record<string, unknown>>

/** What references of schemas lead into: the OpenAPI document that they stand in. */
export type SchemaDocument = Readonly<Record<string, unknown>>

/** A schema's own title for people: what a form calls the value. */
export function descriptionOf(schema: JsonSchema): string | null {
  return typeof schema.description === 'string' ? schema.description : null
}

/** Where references lead each other in circles, or on and on, this many are followed. */
const followedReferences = 32

/** Follows `$ref` to the schema that it means, and merges `allOf`. One that leads nowhere takes anything. */
export function resolveSchema(schema: unknown, document: SchemaDocument): JsonSchema {
  let resolved = asSchema(schema)
  for (let count = 0; typeof resolved.$ref === 'string'; count += 1) {
    if (count === followedReferences) return {}
    const { $ref: reference, ...beside } = resolved
    resolved = { ...lookUp(String(reference), document), ...beside }
  }
  return Array.isArray(resolved.allOf) ? mergeAll(resolved, resolved.allOf, document) : resolved
}

/** The members of an object's schema by their names, each as it is written there. */
export function propertiesOf(schema: JsonSchema): Readonly<Record<string, JsonSchema>> {
  return isRecord(schema.properties) ? (schema.properties as Record<string, JsonSchema>) : {}
}

/** The names of the members that must be there. */
export function requiredOf(schema: JsonSchema): readonly string[] {
  return Array.isArray(schema.required) ? (schema.required as readonly string[]) : []
}

/** The values that an `enum`, a `const`, or alternatives of them allow; `null` where a schema is none of these. */
export function choicesOf(schema: JsonSchema): readonly unknown[] | null {
  if (Array.isArray(schema.enum)) return schema.enum
  if ('const' in schema) return [schema.const]
  const variants = variantsOf(schema)
  if (variants === null) return null
  const constants = variants.flatMap((variant) => choicesOf(variant) ?? [undefined])
  return constants.includes(undefined) ? null : constants
}

/** The alternatives of `anyOf` or `oneOf`, or `null`. */
export function variantsOf(schema: JsonSchema): readonly JsonSchema[] | null {
  const variants = schema.anyOf ?? schema.oneOf
  return Array.isArray(variants) && variants.length > 0 ? variants.map(asSchema) : null
}

/** A number that a keyword gives, or `null`. */
export function numberOf(schema: JsonSchema, keyword: string): number | null {
  const value = schema[keyword]
  return typeof value === 'number' ? value : null
}

/** Whether a value is an object that is no array. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A schema of `true`, or what is no schema at all, takes anything. */
function asSchema(schema: unknown): JsonSchema {
  return isRecord(schema) ? schema : {}
}

function lookUp(reference: string, document: SchemaDocument): JsonSchema {
  if (!reference.startsWith('#/')) return {}
  let place: unknown = document
  for (const name of reference.slice(2).split('/')) {
    const key = decodeURIComponent(name).replaceAll('~1', '/').replaceAll('~0', '~')
    place = isRecord(place) && Object.hasOwn(place, key) ? place[key] : undefined
  }
  return asSchema(place)
}

function mergeAll(schema: JsonSchema, parts: readonly unknown[], document: SchemaDocument): JsonSchema {
  const { allOf: _, ...beside } = schema
  const all = [...parts.map((part) => resolveSchema(part, document)), beside]
  return {
    ...Object.assign({}, ...all),
    properties: Object.assign({}, ...all.map(propertiesOf)),
    required: [...new Set(all.flatMap(requiredOf))],
  }
}
