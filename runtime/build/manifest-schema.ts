import { type TSchema, type TUnion, Type } from '@sinclair/typebox'
import { deploymentSettingsSchema } from '../config/deployment-schema.ts'

const countingNumber = Type.Integer({ minimum: 1, expected: 'a whole number from 1' })
const positiveNumber = Type.Number({ exclusiveMinimum: 0, expected: 'a finite number above 0' })
const text = Type.String({ minLength: 1, expected: 'a text' })
const label = Type.String({ minLength: 1, maxLength: 128 })
const modelName = Type.String({ minLength: 1, maxLength: 256 })
const jsonSchema = Type.Record(Type.String(), Type.Unknown(), { expected: 'a schema' })

const bundle = Type.String({ pattern: '^[\\w.-]+-[0-9a-f]{16}\\.js$', expected: 'the name of a bundle' })

function choice(...values: readonly string[]): TUnion {
  const literals: TSchema[] = values.map((value) => Type.Literal(value))
  return Type.Union(literals, { expected: `one of ${values.join(', ')}` })
}

function choices(...values: readonly string[]): TSchema {
  return Type.Array(choice(...values), {
    minItems: 1,
    uniqueItems: true,
    expected: `one or more of ${values.join(', ')}, each once`,
  })
}

const nullable = (schema: TSchema): TSchema => Type.Union([schema, Type.Null()])
const strict = { additionalProperties: false }
const graph = Type.Object(
  {
    nodes: Type.Array(
      Type.Object(
        {
          name: text,
          function: nullable(text),
          model: nullable(modelName),
          deployment: nullable(text),
          after: Type.Array(text),
          fanOut: Type.Boolean(),
          condition: nullable(choice('taken', 'otherwise')),
          onFailure: Type.Object({ retries: Type.Integer({ minimum: 0 }), fallback: Type.Boolean() }, strict),
        },
        strict,
      ),
    ),
    edges: Type.Array(
      Type.Object(
        {
          from: text,
          to: text,
          path: Type.String(),
          kind: choice('value', 'items', 'condition', 'fallback'),
        },
        strict,
      ),
    ),
    models: Type.Array(
      Type.Object(
        {
          function: text,
          asked: nullable(modelName),
          default: nullable(modelName),
          access: choice('token', 'public'),
        },
        strict,
      ),
    ),
  },
  { ...strict, expected: 'made by defineGraph()' },
)

/**
 * What a {@link FunctionManifest} must be: checks what a function says of itself, and a manifest that is read
 * from a file. `expected` puts what a member takes into words.
 */
export const functionManifestSchema = Type.Object(
  {
    name: Type.String({
      pattern: '^[\\w.~[\\]-]+(/[\\w.~[\\]-]+)*$',
      maxLength: 256,
      expected: 'made of letters, digits and - . _ ~ [ ], in parts with slashes between',
    }),
    file: text,
    route: Type.String({ pattern: '^/', expected: 'a route such as /hello/[name]' }),
    path: Type.String({ pattern: '^/', expected: 'a path' }),
    kind: choice('function', 'inference', 'action', 'graph'),
    methods: choices('GET', 'POST', 'PUT', 'PATCH', 'DELETE'),
    bundle,
    browser: Type.Optional(
      Type.Object(
        { bundle },
        { additionalProperties: false, expected: 'an object with the name of a bundle' },
      ),
    ),
    sources: Type.Array(text, { minItems: 1, expected: 'a list of files' }),
    description: Type.Optional(Type.String({ expected: 'a text' })),
    access: choice('token', 'public'),
    runs: choices('server', 'browser'),
    idempotent: Type.Boolean({ expected: 'true or false' }),
    timeoutMs: Type.Optional(positiveNumber),
    maxBodyBytes: Type.Optional(positiveNumber),
    maxOngoingRequests: Type.Optional(countingNumber),
    batch: Type.Optional(
      Type.Object(
        {
          maxSize: countingNumber,
          maxDelayMs: Type.Number({ minimum: 0 }),
          maxBytes: Type.Optional(countingNumber),
        },
        { additionalProperties: false, expected: 'maxSize from 1, maxDelayMs from 0 and maxBytes from 1' },
      ),
    ),
    model: Type.Optional(
      Type.Object(
        { default: Type.Optional(text), maxModelsPerReplica: Type.Optional(countingNumber) },
        { additionalProperties: false, expected: 'made by onnx() or multiplexed()' },
      ),
    ),
    calls: Type.Optional(Type.Array(text, { minItems: 1, expected: 'a list of functions' })),
    deployment: Type.Optional(deploymentSettingsSchema),
    action: Type.Optional(
      Type.Object(
        {
          category: Type.Union([label, Type.Null()], { expected: 'a text of 1 to 128 characters' }),
          timeoutMs: Type.Union([positiveNumber, Type.Null()], { expected: 'a finite number above 0' }),
          models: Type.Array(modelName, { expected: 'a list of models such as digits or digits@3' }),
          weights: Type.Record(Type.String(), Type.Number({ minimum: 0 }), {
            minProperties: 1,
            expected: 'weights from 0 by category',
          }),
          steps: Type.Array(text, { expected: 'a list of steps made by defineStep()' }),
        },
        { additionalProperties: false, expected: 'made by defineAction()' },
      ),
    ),
    graph: Type.Optional(graph),
    accepts: Type.Array(text, { expected: 'a list of media types' }),
    params: Type.Optional(jsonSchema),
    query: Type.Optional(jsonSchema),
    input: Type.Optional(jsonSchema),
    output: Type.Optional(jsonSchema),
  },
  { additionalProperties: false },
)
