import { type Path, pointerTo } from './place.ts'
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

/** One place of a value that its schema does not take; `path` is a JSON pointer. */
export interface Issue {
  readonly path: string
  readonly message: string
}

/** As many as the server names. */
const mostIssues = 32
/** Deeper values are the server's to judge. */
const deepestCheck = 64

/**
 * The places of a value that do not fit, for a form to say beside its fields. It knows the keywords that a person
 * can break in a form; the function's own check has the last word.
 */
export function findIssues(schema: JsonSchema, value: unknown, document: SchemaDocument): readonly Issue[] {
  const issues: Issue[] = []
  check(schema, value, [], { document, issues })
  return issues
}

interface Search {
  readonly document: SchemaDocument
  readonly issues: Issue[]
}

function check(schema: JsonSchema, value: unknown, path: Path, search: Search): void {
  if (search.issues.length >= mostIssues || path.length > deepestCheck) return
  const resolved = resolveSchema(schema, search.document)
  const refuse = (message: string): void => void search.issues.push({ path: pointerTo(path), message })
  if (value === undefined) {
    if (resolved.default === undefined) refuse('is required')
    return
  }
  const choices = choicesOf(resolved)
  const variants = variantsOf(resolved)
  const wrongType = describeType(resolved.type, value)
  if (choices !== null) {
    const isChoice = choices.some((choice) => JSON.stringify(choice) === JSON.stringify(value))
    if (!isChoice) refuse(`is none of ${choices.map((choice) => JSON.stringify(choice)).join(', ')}`)
  } else if (variants !== null) checkVariants(variants, value, path, search)
  else if (wrongType !== null) refuse(wrongType)
  else if (typeof value === 'number') for (const message of numberIssues(resolved, value)) refuse(message)
  else if (typeof value === 'string') for (const message of textIssues(resolved, value)) refuse(message)
  else if (Array.isArray(value)) checkItems(resolved, value, path, search)
  else if (isRecord(value)) checkMembers(resolved, value, path, search)
}

/** The issues of the variant that comes nearest. */
function checkVariants(variants: readonly JsonSchema[], value: unknown, path: Path, search: Search): void {
  let nearest: readonly Issue[] | null = null
  for (const variant of variants) {
    const issues: Issue[] = []
    check(variant, value, path, { document: search.document, issues })
    if (issues.length === 0) return
    if (nearest === null || issues.length < nearest.length) nearest = issues
  }
  search.issues.push(...(nearest ?? []).slice(0, mostIssues - search.issues.length))
}

function describeType(type: unknown, value: unknown): string | null {
  switch (type) {
    case 'integer':
      return Number.isInteger(value) ? null : 'must be a whole number'
    case 'number':
      return typeof value === 'number' ? null : 'must be a number'
    case 'string':
      return typeof value === 'string' ? null : 'must be text'
    case 'boolean':
      return typeof value === 'boolean' ? null : 'must be true or false'
    case 'array':
      return Array.isArray(value) ? null : 'must be a list'
    case 'object':
      return isRecord(value) ? null : 'must be an object'
    case 'null':
      return value === null ? null : 'must be null'
    default:
      return null
  }
}

function numberIssues(schema: JsonSchema, value: number): readonly string[] {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema
  const issues: string[] = []
  if (typeof minimum === 'number' && value < minimum) issues.push(`must be at least ${minimum}`)
  if (typeof maximum === 'number' && value > maximum) issues.push(`must be at most ${maximum}`)
  if (typeof exclusiveMinimum === 'number' && value <= exclusiveMinimum)
    issues.push(`must be more than ${exclusiveMinimum}`)
  if (typeof exclusiveMaximum === 'number' && value >= exclusiveMaximum)
    issues.push(`must be less than ${exclusiveMaximum}`)
  if (typeof multipleOf === 'number' && Math.abs(value / multipleOf - Math.round(value / multipleOf)) > 1e-9)
    issues.push(`must be a multiple of ${multipleOf}`)
  return issues
}

function textIssues(schema: JsonSchema, value: string): readonly string[] {
  const least = numberOf(schema, 'minLength') ?? 0
  const most = numberOf(schema, 'maxLength') ?? Number.POSITIVE_INFINITY
  const issues: string[] = []
  if (value.length < least)
    issues.push(least === 1 ? 'must not be empty' : `needs at least ${least} characters`)
  if (value.length > most) issues.push(`may have at most ${most} characters`)
  if (typeof schema.pattern === 'string' && !matches(schema.pattern, value))
    issues.push(`must match ${schema.pattern}`)
  return issues
}

/** A pattern that this engine cannot read is the server's to judge. */
function matches(pattern: string, value: string): boolean {
  try {
    return new RegExp(pattern, 'u').test(value)
  } catch {
    return true
  }
}

function checkItems(schema: JsonSchema, value: readonly unknown[], path: Path, search: Search): void {
  const least = numberOf(schema, 'minItems') ?? 0
  const most = numberOf(schema, 'maxItems') ?? Number.POSITIVE_INFINITY
  const refuse = (message: string): void => void search.issues.push({ path: pointerTo(path), message })
  const has = `it has ${value.length}`
  if (value.length < least) refuse(`needs ${least === most ? '' : 'at least '}${countOf(least)}; ${has}`)
  if (value.length > most) refuse(`takes ${least === most ? '' : 'at most '}${countOf(most)}; ${has}`)
  const places = Array.isArray(schema.prefixItems) ? (schema.prefixItems as readonly JsonSchema[]) : []
  const rest = isRecord(schema.items) ? resolveSchema(schema.items, search.document) : null
  for (let index = 0; index < value.length && search.issues.length < mostIssues; index += 1) {
    const item = places[index] ?? rest
    if (item !== null) check(item, value[index], [...path, index], search)
  }
}

function countOf(items: number): string {
  return items === 1 ? '1 item' : `${items} items`
}

function checkMembers(
  schema: JsonSchema,
  value: Readonly<Record<string, unknown>>,
  path: Path,
  search: Search,
): void {
  const properties = propertiesOf(schema)
  for (const name of requiredOf(schema)) {
    if (value[name] === undefined) check(properties[name] ?? {}, undefined, [...path, name], search)
  }
  for (const [name, member] of Object.entries(value)) {
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined
    if (property !== undefined && member !== undefined) check(property, member, [...path, name], search)
    else if (property === undefined && schema.additionalProperties === false)
      search.issues.push({ path: pointerTo([...path, name]), message: 'is not known here' })
  }
}
