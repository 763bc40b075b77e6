import type { FileSchema, TensorSchema } from '../define/schema.ts'
import { formatShape, type TensorType } from '../engine/tensor.ts'
import type { JsonSchema } from './manifest.ts'

/** A file as JSON Schema: base64 text, and beside it in `x-file` what a form or a multipart field needs. */
export function renderFile({ mediaTypes, maxBytes, description }: FileSchema): JsonSchema {
  const [mediaType, ...others] = mediaTypes
  const single = mediaType !== undefined && others.length === 0 && !mediaType.includes('*')
  return {
    ...(description === undefined ? {} : { description }),
    type: 'string',
    format: 'byte',
    contentEncoding: 'base64',
    ...(single ? { contentMediaType: mediaType } : {}),
    'x-file': { mediaTypes: [...mediaTypes], ...(maxBytes === undefined ? {} : { maxBytes }) },
  }
}

/** A tensor as JSON Schema: its JSON form, and its type and dimensions in `x-tensor`. */
export function renderTensor({ tensorType, dims, description }: TensorSchema): JsonSchema {
  return {
    description: description ?? `A tensor of ${tensorType} values in the shape ${formatShape(dims)}.`,
    type: 'object',
    required: ['dims', 'data'],
    properties: {
      type: { const: tensorType },
      dims: {
        type: 'array',
        items: { type: 'integer', minimum: 0 },
        minItems: dims.length,
        maxItems: dims.length,
      },
      data: { type: 'array', items: renderElement(tensorType), description: 'The values, row by row.' },
    },
    'x-tensor': { type: tensorType, dims: [...dims] },
  }
}

function renderElement(type: TensorType): JsonSchema {
  if (type === 'string') return { type: 'string' }
  if (type === 'bool') return { type: 'boolean' }
  // JSON numbers hold neither every 64-bit integer nor what is not finite; those are written as text.
  if (type.startsWith('float'))
    return { anyOf: [{ type: 'number' }, { enum: ['NaN', 'Infinity', '-Infinity'] }] }
  if (type.endsWith('64')) return { anyOf: [{ type: 'integer' }, { type: 'string', pattern: '^-?[0-9]+$' }] }
  return { type: 'integer' }
}
