import { Kind, type TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'

/**
 * What a text stands for: itself where the schema takes a text, else what it says as JSON, such as `1.5`,
 * `true`, `null` or `{"a":1}`. A text that is neither stays a text, for the schema to refuse.
 */
export function valueOfText(schema: TSchema, text: string): unknown {
  // A string schema is not asked whether the text fits: its reasons against it are better than JSON's.
  if (schema.type === 'string' || Value.Check(schema, text)) return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/**
 * What the values under one name stand for: a list where the schema is an array or there are several, else
 * the only one. What is not a text is left as it is.
 */
export function valueOfTexts(schema: TSchema, values: readonly unknown[]): unknown {
  const listed = schema[Kind] === 'Array'
  const item = listed ? (schema.items as TSchema) : schema
  const read = values.map((value) => (typeof value === 'string' ? valueOfText(item, value) : value))
  return listed || read.length > 1 ? read : read[0]
}

/** The values of each name, in the order of their coming. */
export function gatherByName<Entry>(entries: Iterable<readonly [string, Entry]>): Map<string, Entry[]> {
  const gathered = new Map<string, Entry[]>()
  for (const [name, value] of entries) {
    const known = gathered.get(name)
    if (known) known.push(value)
    else gathered.set(name, [value])
  }
  return gathered
}
