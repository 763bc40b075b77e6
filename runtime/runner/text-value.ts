import { Kind, type TObject, type TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { parseJson } from './json-text.ts'

/**
 * Makes an object of named values that came one by one, as in a query or a form. A text stands for itself where
 * its schema takes a text, else for what it says as JSON, such as `1.5`, `true` or `null`; a text that is
 * neither stays a text, for the schema to refuse. A name that comes several times, or whose schema is an
 * array, has the list of its values.
 */
export function valuesByName(
  schema: TObject,
  entries: Iterable<readonly [string, unknown]>,
): Record<string, unknown> {
  const lists = new Map<string, unknown[]>()
  for (const [name, value] of entries) {
    const list = lists.get(name)
    if (list) list.push(value)
    else lists.set(name, [value])
  }
  // `fromEntries` makes own properties of all names, `__proto__` too.
  return Object.fromEntries(
    [...lists].map(([name, list]) => {
      const property = Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined
      return [name, valueOfList(property, list)]
    }),
  )
}

function valueOfList(schema: TSchema | undefined, list: readonly unknown[]): unknown {
  const listed = schema?.[Kind] === 'Array'
  const item: TSchema | undefined = listed ? schema.items : schema
  const values = list.map((value) => (item && typeof value === 'string' ? valueOfText(item, value) : value))
  return listed || values.length > 1 ? values : values[0]
}

function valueOfText(schema: TSchema, text: string): unknown {
  // A string schema is not asked whether the text fits: its own reasons against it are the better ones.
  if (schema.type === 'string' || (schema.type === undefined && Value.Check(schema, text))) return text
  try {
    return parseJson(text)
  } catch {
    return text
  }
}
