import type { JsonSchema } from '../build/manifest.ts'

const ownPlace = '#/$defs/'
const sharedPlace = '#/components/schemas/'

/**
 * The schemas that the operations of an OpenAPI document refer to. A schema that stands alone has its definitions
 * under its own `$defs`; within a document a reference to them would lead to the document's own top.
 */
export class SchemaComponents {
  readonly #schemas: Map<string, JsonSchema>

  /** @param schemas those that are there from the start */
  constructor(schemas: Readonly<Record<string, JsonSchema>>) {
    this.#schemas = new Map(Object.entries(schemas))
  }

  /** What stands under `components.schemas` of the document. */
  toJson(): Readonly<Record<string, JsonSchema>> {
    return Object.fromEntries(this.#schemas)
  }

  /** Takes over a schema's definitions, and gives the schema with its references leading there. */
  adopt({ $defs = {}, ...schema }: JsonSchema): JsonSchema {
    const names = new Map<string, string>()
    for (const name of Object.keys($defs as object)) names.set(name, this.#reserve(name))
    for (const [name, definition] of Object.entries($defs as Readonly<Record<string, JsonSchema>>)) {
      this.#schemas.set(names.get(name) ?? name, redirect(definition, names))
    }
    return redirect(schema, names)
  }

  /** Two functions may call their definitions alike. */
  #reserve(wished: string): string {
    let name = wished
    for (let number = 2; this.#schemas.has(name); number += 1) name = `${wished}.${number}`
    this.#schemas.set(name, {})
    return name
  }
}

function redirect<Value>(value: Value, names: ReadonlyMap<string, string>): Value {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item) => redirect(item, names)) as Value
  const members = Object.entries(value).map(([name, member]) => {
    const target = name === '$ref' && typeof member === 'string' ? targetOf(member, names) : undefined
    return [name, target ?? redirect(member, names)]
  })
  return Object.fromEntries(members)
}

function targetOf(reference: string, names: ReadonlyMap<string, string>): string | undefined {
  if (!reference.startsWith(ownPlace)) return undefined
  const name = names.get(reference.slice(ownPlace.length))
  return name === undefined ? undefined : sharedPlace + name
}
