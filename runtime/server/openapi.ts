import type { FunctionManifest, JsonSchema } from '../build/manifest.ts'
import type { Method } from '../define/options.ts'
import { type ErrorCode, errorCodes } from '../error/codes.ts'
import { parseRoute } from '../route/pattern.ts'

const problemSchema: JsonSchema = {
  type: 'object',
  required: ['title', 'status', 'detail', 'code'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string', enum: Object.keys(errorCodes) },
    instance: { type: 'string' },
  },
}

/** The OpenAPI operation of a function under one of its methods. */
export function operationOf(fn: FunctionManifest, method: Method): object {
  return {
    operationId: `${method.toLowerCase()}_${fn.name.replaceAll(/[^A-Za-z0-9]+/g, '_')}`,
    tags: [fn.kind === 'inference' ? 'Inference functions' : 'Edge functions'],
    ...(fn.description === undefined ? {} : { description: fn.description }),
    parameters: [...pathParametersOf(fn), ...queryParametersOf(fn.query)],
    ...(fn.input ? { requestBody: { required: true, content: contentOf(fn.accepts, fn.input) } } : {}),
    responses: { 200: successOf(fn), ...problemsOf(fn) },
    security: fn.access === 'token' ? [{ modelToken: [] }, { bearer: [] }] : [],
  }
}

/** The parts of the document that all operations share. */
export const sharedComponents = Object.freeze({
  schemas: { Problem: problemSchema },
  securitySchemes: {
    modelToken: {
      type: 'apiKey',
      in: 'header',
      name: 'serve_multiplexed_model_id',
      description: 'The model token. The spelling with hyphens is taken as well.',
    },
    bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'The same token.' },
  },
})

function pathParametersOf({ route, file, params }: FunctionManifest): readonly object[] {
  const properties = propertiesOf(params)
  return parseRoute(route, file).parameters.map((name) => ({
    name,
    in: 'path',
    required: true,
    schema: properties[name] ?? { type: 'string' },
  }))
}

function queryParametersOf(schema: JsonSchema | undefined): readonly object[] {
  const required = (schema?.required ?? []) as readonly string[]
  return Object.entries(propertiesOf(schema)).map(([name, property]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema: property,
  }))
}

function propertiesOf(schema: JsonSchema | undefined): Readonly<Record<string, JsonSchema>> {
  return (schema?.properties ?? {}) as Readonly<Record<string, JsonSchema>>
}

/** Raw bytes have no schema of their own in OpenAPI 3.1: the media type says all. */
function contentOf(mediaTypes: readonly string[], schema: JsonSchema): object {
  const described = (mediaType: string): object =>
    mediaType === 'application/json' || mediaType === 'multipart/form-data' ? { schema } : {}
  return Object.fromEntries(mediaTypes.map((mediaType) => [mediaType, described(mediaType)]))
}

function successOf({ output }: FunctionManifest): object {
  return output
    ? { description: 'The result', content: { 'application/json': { schema: output } } }
    : { description: 'The result' }
}

function problemsOf(fn: FunctionManifest): Readonly<Record<string, object>> {
  const codes: readonly ErrorCode[] = [
    ...(fn.access === 'token' ? (['TOKEN_INVALID'] as const) : []),
    ...(fn.model ? (['MODEL_NOT_FOUND', 'MODEL_BROKEN'] as const) : []),
    ...(fn.input ? (['BODY_TOO_LARGE', 'MEDIA_TYPE_UNSUPPORTED'] as const) : []),
    ...(fn.input || fn.params || fn.query ? (['INPUT_INVALID'] as const) : []),
    'INTERNAL',
    'QUEUE_FULL',
    'DEADLINE_EXCEEDED',
  ]
  const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } }
  return Object.fromEntries(
    codes.map((code) => [errorCodes[code].status, { description: errorCodes[code].title, content }]),
  )
}
