import { FormatRegistry, Kind, TransformKind, type TSchema, TypeRegistry } from '@sinclair/typebox'
import '../define/format.ts'
import { isFileSchema, isTensorSchema } from '../define/schema.ts'
import type { JsonSchema } from './manifest.ts'
import { renderFile, renderTensor } from './slot-schema.ts'

/** How a schema is called in messages and in its definitions. */
export interface SchemaLabel {
  /** What the function calls the schema: `input`. */
  readonly option: string
  /** What the names of the schema's definitions begin with; unique among the functions of a project. */
  readonly prefix: string
}

/** The TypeBox kinds that JSON Schema has words for. */
const jsonKinds: ReadonlySet<string> = new Set([
  ...[
    'Any',
    'Array',
    'Boolean',
    'Import',
    'Integer',
    'Intersect',
    'Literal',
    'Never',
    'Not',
    'Null',
    'Number',
  ],
  ...['Object', 'Record', 'Ref', 'String', 'TemplateLiteral', 'This', 'Tuple', 'Union', 'Unknown'],
])

/** What to write instead of a kind that JSON Schema cannot carry. */
const alternatives: Readonly<Record<string, string>> = {
  BigInt: 'Type.Integer(), or Type.String() with a pattern',
  Date: "Type.String({ format: 'date-time' })",
  RegExp: 'Type.String({ pattern })',
  Uint8Array: 'file() or tensorOf()',
  Undefined: 'Type.Optional()',
  Void: 'Type.Null(), or leave the schema out',
}

/** A schema that others may refer to by its id, and the name that it has once one does. */
interface Target {
  readonly schema: TSchema
  readonly scope: Scope
  /** Whether its definition is made where it stands, rather than at the first reference to it. */
  readonly standing: boolean
  name: string | null
}

type Scope = ReadonlyMap<string, Target>

/**
 * Renders a TypeBox schema as JSON Schema (draft 2020-12) that stands alone: recursive parts become `$defs` of
 * its own, named after the prefix and alike in every build, and files and tensors become what their JSON form
 * is, with `x-file` and `x-tensor` beside it.
 *
 * @throws {TypeError} where the schema holds what JSON cannot carry or the runner could not check, with the
 * JSON pointer of the place within the schema.
 */
export function toJsonSchema(schema: TSchema, label: SchemaLabel): JsonSchema {
  return new Rendering(label).document(schema)
}

class Rendering {
  readonly #label: SchemaLabel
  readonly #definitions = new Map<string, unknown>()
  readonly #names = new Map<string, string>()

  constructor(label: SchemaLabel) {
    this.#label = label
  }

  document(schema: TSchema): JsonSchema {
    const root = this.#schema(schema, '', new Map())
    return this.#definitions.size === 0 ? root : { ...root, $defs: Object.fromEntries(this.#definitions) }
  }

  #schema(schema: TSchema, pointer: string, scope: Scope): JsonSchema {
    this.#assertCarried(schema, pointer)
    const kind = schema[Kind]
    if (isFileSchema(schema)) return renderFile(schema)
    if (isTensorSchema(schema)) return renderTensor(schema)
    if (kind === 'Import') return this.#module(schema, pointer)
    if (kind === 'Ref' || kind === 'This') return this.#reference(schema, pointer, scope)
    if (typeof schema.$id !== 'string') return this.#body(schema, pointer, scope)
    return this.#identified(schema, schema.$id, pointer, scope)
  }

  /** A schema with an id: in place where nothing in it refers to it, else a definition. */
  #identified(schema: TSchema, id: string, pointer: string, outer: Scope): JsonSchema {
    const target: Target = { schema, scope: outer, standing: true, name: null }
    const body = this.#body(schema, pointer, new Map(outer).set(id, target))
    if (target.name === null) return body
    this.#definitions.set(target.name, body)
    return { $ref: `#/$defs/${target.name}` }
  }

  /** One schema of a `Type.Module`, whose members refer to each other by name. */
  #module(schema: TSchema, pointer: string): JsonSchema {
    const scope = new Map<string, Target>()
    for (const [id, member] of Object.entries(schema.$defs as Record<string, TSchema>)) {
      scope.set(id, { schema: member, scope, standing: false, name: null })
    }
    return this.#reference(schema, pointer, scope)
  }

  #reference(schema: TSchema, pointer: string, scope: Scope): JsonSchema {
    const id = String(schema.$ref)
    const target = scope.get(id)
    if (!target)
      throw this.#refusal(pointer, `a reference to "${id}"`, 'but no schema around it has that $id')
    if (target.name === null) {
      target.name = this.#nameOf(id, target.schema)
      if (!target.standing && !this.#definitions.has(target.name)) {
        this.#definitions.set(target.name, null)
        this.#definitions.set(target.name, this.#body(target.schema, pointer, target.scope))
      }
    }
    return { $ref: `#/$defs/${target.name}` }
  }

  /** Equal schemas of one id share a name; the ids that TypeBox counts up in each process are replaced. */
  #nameOf(id: string, schema: TSchema): string {
    const key = `${id} ${JSON.stringify(schema, (_, value) => (typeof value === 'bigint' ? String(value) : value))}`
    const known = this.#names.get(key)
    if (known !== undefined) return known
    const word = /^T\d+$/.test(id) ? 'Recursive' : id.replace(/[^\w.-]/g, '_')
    const base = `${this.#label.prefix}.${word}`
    const taken = new Set(this.#names.values())
    let name = base
    for (let number = 2; taken.has(name); number++) name = `${base}${number}`
    this.#names.set(key, name)
    return name
  }

  #body(schema: TSchema, pointer: string, scope: Scope): JsonSchema {
    const { $id: _, ...keywords } = schema
    const rendered = this.#members(keywords, pointer, scope)
    if (schema[Kind] !== 'Tuple') return rendered
    // TypeBox writes tuples as earlier drafts had them.
    const { items = [], additionalItems: __, ...rest } = rendered
    return { ...rest, prefixItems: items, items: false }
  }

  #members(value: object, pointer: string, scope: Scope): Record<string, unknown> {
    const members = Object.entries(value).filter(([, member]) => member !== undefined)
    return Object.fromEntries(
      members.map(([name, member]) => [
        name,
        this.#value(member, `${pointer}/${escapePointer(name)}`, scope),
      ]),
    )
  }

  #value(value: unknown, pointer: string, scope: Scope): unknown {
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
    if (typeof value === 'number' && Number.isFinite(value)) return value
    if (Array.isArray(value)) {
      return value.map((item, index) => this.#value(item, `${pointer}/${index}`, scope))
    }
    if (typeof value !== 'object' || !isPlain(value)) {
      throw this.#refusal(pointer, nameValue(value), 'which JSON cannot carry')
    }
    return Kind in value
      ? this.#schema(value as TSchema, pointer, scope)
      : this.#members(value, pointer, scope)
  }

  #assertCarried(schema: TSchema, pointer: string): void {
    const kind: unknown = schema[Kind]
    if (typeof kind !== 'string') {
      throw this.#refusal(pointer, 'no TypeBox schema', 'so make it with Type.…, file() or tensorOf()')
    }
    if (TransformKind in schema) {
      throw this.#refusal(pointer, 'a Type.Transform()', 'which is not applied; convert in the function')
    }
    if (Object.hasOwn(alternatives, kind)) {
      throw this.#refusal(pointer, `Type.${kind}()`, `which JSON cannot carry; use ${alternatives[kind]}`)
    }
    if (!jsonKinds.has(kind) && !TypeRegistry.Has(kind)) {
      throw this.#refusal(
        pointer,
        `the kind ${kind}`,
        'which JSON cannot carry and TypeRegistry does not know',
      )
    }
    const { format } = schema
    if (kind === 'String' && typeof format === 'string' && !FormatRegistry.Has(format)) {
      const known = [...FormatRegistry.Entries().keys()].sort().join(', ')
      throw this.#refusal(pointer, `the format "${format}"`, `which is none of ${known}`)
    }
  }

  #refusal(pointer: string, what: string, why: string): TypeError {
    const place = pointer === '' ? '' : ` at ${pointer}`
    return new TypeError(`The schema "${this.#label.option}" has ${what}${place}, ${why}.`)
  }
}

function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function nameValue(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'bigint') return `the value ${value}`
  return typeof value === 'object' ? `a ${value?.constructor?.name ?? 'object'}` : `a ${typeof value}`
}
