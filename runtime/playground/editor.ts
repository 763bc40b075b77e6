import {
  choicesOf,
  descriptionOf,
  isRecord,
  type JsonSchema,
  numberOf,
  propertiesOf,
  resolveSchema,
  type SchemaDocument,
  variantsOf,
} from './schema.ts'

/** How a value is edited, chosen by its schema alone. */
export type Editor =
  | { readonly kind: 'object' | 'list' | 'numbers' | 'boolean' | 'number' | 'text' | 'json' }
  | { readonly kind: 'file'; readonly mediaTypes: readonly string[]; readonly maxBytes: number | null }
  | { readonly kind: 'tensor'; readonly type: string; readonly dims: readonly (number | string | null)[] }
  /** A square picture, row by row, 0 is paper and 1 is ink. */
  | { readonly kind: 'drawing'; readonly side: number }
  /** One channel of sound from -1 to 1. */
  | { readonly kind: 'sound'; readonly sampleRateHz: number; readonly maxSamples: number | null }
  | { readonly kind: 'choice'; readonly choices: readonly unknown[] }
  | { readonly kind: 'variants'; readonly variants: readonly JsonSchema[] }

/** Lists of at most this many items are edited item by item, longer ones as one text. */
const itemwiseItems = 16
/** Sides of squares that are drawn on. A list of 64 numbers is as likely anything else. */
const drawnSides = { least: 16, most: 128 }

/**
 * The one rule by which editors are chosen. The first line that fits decides:
 *
 * 1. `x-file`, or base64 text with a `contentMediaType`: a file picker.
 * 2. `x-tensor`: a tensor's dimensions and values.
 * 3. An array of numbers from 0 to 1 whose fixed length is the square of 16 to 128: a drawing.
 * 4. An array of numbers from -1 to 1 whose description says "samples at … Hz" or "… kHz": sound.
 * 5. An array of numbers that may have more than 16 items: one text of numbers.
 * 6. `enum`, `const` or alternatives of them: a choice.
 * 7. `anyOf` and `oneOf`: a choice of variants.
 * 8. An array with one schema for its items: a list.
 * 9. Objects with properties, booleans, numbers, texts: their own editors.
 * 10. Anything else: JSON.
 */
export function chooseEditor(schema: JsonSchema, document: SchemaDocument): Editor {
  return (
    chooseMarked(schema) ??
    chooseArray(schema, document) ??
    chooseAlternatives(schema) ??
    chooseByType(schema) ?? { kind: 'json' }
  )
}

function chooseMarked(schema: JsonSchema): Editor | null {
  const file = schema['x-file']
  if (isRecord(file)) {
    const mediaTypes = Array.isArray(file.mediaTypes) ? (file.mediaTypes as string[]) : ['*/*']
    return { kind: 'file', mediaTypes, maxBytes: numberOf(file, 'maxBytes') }
  }
  if (schema.contentEncoding === 'base64' && typeof schema.contentMediaType === 'string') {
    return { kind: 'file', mediaTypes: [schema.contentMediaType], maxBytes: null }
  }
  const tensor = schema['x-tensor']
  if (!isRecord(tensor)) return null
  const dims = Array.isArray(tensor.dims) ? (tensor.dims as (number | string | null)[]) : []
  return { kind: 'tensor', type: String(tensor.type), dims }
}

function chooseArray(schema: JsonSchema, document: SchemaDocument): Editor | null {
  if (schema.type !== 'array' || Array.isArray(schema.prefixItems) || !isRecord(schema.items)) return null
  const items = resolveSchema(schema.items, document)
  const isNumeric = items.type === 'number' || items.type === 'integer'
  if (!isNumeric || choicesOf(items) !== null) return { kind: 'list' }
  const maxItems = numberOf(schema, 'maxItems')
  if (maxItems !== null && maxItems <= itemwiseItems) return { kind: 'list' }
  return chooseDrawing(schema, items) ?? chooseSound(schema, items) ?? { kind: 'numbers' }
}

function chooseDrawing(schema: JsonSchema, items: JsonSchema): Editor | null {
  const count = numberOf(schema, 'maxItems')
  if (count === null || count !== numberOf(schema, 'minItems') || !isBetween(items, 0, 1)) return null
  const side = Math.sqrt(count)
  const isDrawn = Number.isInteger(side) && side >= drawnSides.least && side <= drawnSides.most
  return isDrawn ? { kind: 'drawing', side } : null
}

function chooseSound(schema: JsonSchema, items: JsonSchema): Editor | null {
  if (!isBetween(items, -1, 1)) return null
  const said = /\bsamples at (\d+(?:\.\d+)?) ?(k?)hz\b/i.exec(descriptionOf(schema) ?? '')
  if (said === null) return null
  const sampleRateHz = Number(said[1]) * (said[2] === '' ? 1 : 1_000)
  // Rates beyond these are no rates that a browser's audio takes.
  if (sampleRateHz < 3_000 || sampleRateHz > 384_000) return null
  return { kind: 'sound', sampleRateHz, maxSamples: numberOf(schema, 'maxItems') }
}

function isBetween(items: JsonSchema, minimum: number, maximum: number): boolean {
  return items.type === 'number' && items.minimum === minimum && items.maximum === maximum
}

function chooseAlternatives(schema: JsonSchema): Editor | null {
  const choices = choicesOf(schema)
  if (choices !== null) return { kind: 'choice', choices }
  const variants = variantsOf(schema)
  return variants === null ? null : { kind: 'variants', variants }
}

function chooseByType(schema: JsonSchema): Editor | null {
  if (schema.type === 'object' || (schema.type === undefined && 'properties' in schema)) {
    return Object.keys(propertiesOf(schema)).length > 0 ? { kind: 'object' } : null
  }
  if (schema.type === 'boolean') return { kind: 'boolean' }
  if (schema.type === 'number' || schema.type === 'integer') return { kind: 'number' }
  return schema.type === 'string' ? { kind: 'text' } : null
}
