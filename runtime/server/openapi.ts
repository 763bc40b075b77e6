import type { GraphManifest } from '../build/graph-manifest.ts'
import type { DeployedFunction, FunctionManifest, JsonSchema } from '../build/manifest.ts'
import type { Method } from '../define/options.ts'
import { type ErrorCode, errorCodes } from '../error/codes.ts'
import { parseRoute } from '../route/pattern.ts'
import { problems, submissionCodes, submissionParameters, submissionResponses } from './job/api.ts'
import type { SchemaComponents } from './schema-components.ts'
import { schemaAsSent } from './sent-schema.ts'

/** What the operations of one document must agree on. */
export interface DocumentParts {
  /** The ids given so far: none is given twice. */
  readonly operationIds: Set<string>
  readonly schemas: SchemaComponents
}

/** A problem document, as every operation may answer with it. */
export const problemSchema: JsonSchema = {
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

/** What the kinds of functions are called together. */
const kindTitles: Readonly<Record<FunctionManifest['kind'], string>> = {
  function: 'Edge functions',
  inference: 'Inference functions',
  action: 'Actions',
  graph: 'Graphs',
}

/** The OpenAPI operations of a function, by its methods in lower case. */
export function operationsOf(fn: DeployedFunction, parts: DocumentParts): Readonly<Record<string, object>> {
  const adopted = adoptSchemas(fn, parts.schemas)
  const { accepts, access, input, kind, query } = adopted
  const description = describe(adopted)
  const isAction = kind === 'action'
  const operation = {
    tags: [kindTitles[kind]],
    ...(description === undefined ? {} : { description }),
    parameters: [
      ...pathParametersOf(adopted),
      ...queryParametersOf(query),
      ...(isAction ? submissionParameters : []),
    ],
    ...(input ? { requestBody: { required: true, content: contentOf(accepts, input) } } : {}),
    responses: { ...(isAction ? submissionResponses : { 200: successOf(adopted) }), ...problemsOf(fn) },
    ...(isAction && adopted.output ? { 'x-job-result': adopted.output } : {}),
    security: access === 'token' ? [{ modelToken: [] }, { bearer: [] }] : [],
  }
  return Object.fromEntries(
    fn.methods.map((method) => {
      const operationId = nextOperationId(fn, method, parts.operationIds)
      return [method.toLowerCase(), { operationId, ...operation }]
    }),
  )
}

/** What a function says of itself, of which one it is a deployment, and for a graph what it is made of. */
function describe({ name, description, deploymentOf, graph }: DeployedFunction): string | undefined {
  const parts = [
    ...(description === undefined ? [] : [description]),
    ...(deploymentOf === undefined ? [] : [`The deployment \`${name}\` of \`${deploymentOf}\`.`]),
    ...(graph ? [`Its nodes:\n\n${describeNodes(graph)}`] : []),
  ]
  return parts.length === 0 ? undefined : parts.join('\n\n')
}

/** The nodes of a graph as a list in Markdown. */
function describeNodes({ nodes }: GraphManifest): string {
  const lines = nodes.map((node) => {
    const { name, function: called, model, deployment, after, fanOut, condition, onFailure } = node
    const facts = [
      called === null ? 'code of its own' : `calls \`${called}\``,
      ...(model === null ? [] : [`with the model \`${model}\``]),
      ...(deployment === null ? [] : [`in the deployment \`${deployment}\``]),
      ...(fanOut ? ['for each item'] : []),
      ...(condition === null ? [] : ['on a condition']),
      ...(onFailure.fallback ? ['with a fallback'] : []),
      ...(after.length === 0 ? [] : [`after ${after.join(', ')}`]),
    ]
    return `- \`${name}\` ${facts.join(', ')}`
  })
  return lines.join('\n')
}

function adoptSchemas(fn: DeployedFunction, schemas: SchemaComponents): DeployedFunction {
  const { params, query, input, output } = fn
  return {
    ...fn,
    ...(params && { params: schemas.adopt(params) }),
    ...(query && { query: schemas.adopt(schemaAsSent(query)) }),
    ...(input && { input: schemas.adopt(schemaAsSent(input)) }),
    ...(output && { output: schemas.adopt(output) }),
  }
}

/** The ways to send a model token. */
export const securitySchemes = Object.freeze({
  modelToken: {
    type: 'apiKey',
    in: 'header',
    name: 'serve_multiplexed_model_id',
    description: 'The model token. The spelling with hyphens is taken as well.',
  },
  bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'The same token.' },
})

/** An id that is a name in most languages; the names of two functions may be alike but for other characters. */
function nextOperationId({ name }: FunctionManifest, method: Method, taken: Set<string>): string {
  const base = `${method.toLowerCase()}_${name.replaceAll(/[^A-Za-z0-9]+/g, '_')}`
  let id = base
  for (let number = 2; taken.has(id); number += 1) id = `${base}_${number}`
  taken.add(id)
  return id
}

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
  const description = 'The result'
  if (!output) return { description }
  const json = { 'application/json': { schema: output } }
  const form = /"x-(?:file|tensor)":/.test(JSON.stringify(output)) ? { 'multipart/form-data': {} } : {}
  const { 'x-file': file, 'x-tensor': tensor } = output as OutputMarks
  if (file) return { description, content: Object.fromEntries(file.mediaTypes.map((type) => [type, {}])) }
  return { description, content: tensor ? { ...json, 'application/octet-stream': {} } : { ...json, ...form } }
}

/** What stands beside the schema of a result that is a file or a tensor, and may be sent as its bytes. */
interface OutputMarks {
  readonly 'x-file'?: { readonly mediaTypes: readonly string[] }
  readonly 'x-tensor'?: object
}

function holdsModels({ model, graph }: FunctionManifest): boolean {
  return model !== undefined || (graph?.models.length ?? 0) > 0
}

function problemsOf(fn: FunctionManifest): Readonly<Record<string, object>> {
  const codes: readonly ErrorCode[] = [
    ...(fn.access === 'token' ? (['TOKEN_INVALID'] as const) : []),
    ...(holdsModels(fn) ? (['MODEL_NOT_FOUND', 'MODEL_BROKEN'] as const) : []),
    ...(fn.input ? (['BODY_TOO_LARGE', 'MEDIA_TYPE_UNSUPPORTED'] as const) : []),
    ...(fn.input || fn.params || fn.query ? (['INPUT_INVALID'] as const) : []),
    'INTERNAL',
    'QUEUE_FULL',
    'DEADLINE_EXCEEDED',
    ...(fn.kind === 'action' ? submissionCodes : []),
  ]
  return problems(...codes)
}
