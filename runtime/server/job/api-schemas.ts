import type { JsonSchema } from '../../build/manifest.ts'
import { errorCodes } from '../../error/codes.ts'
import { jobStates } from '../../job/job.ts'

const text: JsonSchema = { type: 'string' }
const flag: JsonSchema = { type: 'boolean' }
const count: JsonSchema = { type: 'integer', minimum: 0 }
const path: JsonSchema = { type: 'string', format: 'uri-reference' }
const anything: JsonSchema = { type: 'object', additionalProperties: true }
const percent: JsonSchema = { type: 'number', minimum: 0, maximum: 100 }
const time: JsonSchema = { type: 'integer', description: 'In milliseconds since 1970.' }

function object(properties: Readonly<Record<string, JsonSchema>>, more: JsonSchema = {}): JsonSchema {
  return { type: 'object', required: Object.keys(properties), properties, ...more }
}

function listOf(items: JsonSchema): JsonSchema {
  return { type: 'array', items }
}

function orNull(schema: JsonSchema): JsonSchema {
  return { anyOf: [schema, { type: 'null' }] }
}

const code: JsonSchema = { type: 'string', enum: Object.keys(errorCodes) }

const progress = object({
  overall: { ...percent, description: 'It never falls, and is 100 exactly when the job has succeeded.' },
  current: orNull(text),
  categories: {
    type: 'object',
    additionalProperties: object({
      current: { type: 'number' },
      total: { type: 'number' },
      percent,
      timeRemainingSeconds: orNull({ type: 'number' }),
    }),
  },
})

const step = object({
  name: text,
  state: { type: 'string', enum: ['done', 'skipped', 'failed', 'rolled-back'] },
  endedMs: time,
})

const error: JsonSchema = {
  ...object({ code, message: text, step: orNull(text), rollbackErrors: listOf(text) }),
  description: 'Why the job has failed or was cancelled.',
}

const result = object({
  form: { type: 'string', enum: ['value', 'lines'] },
  mediaType: text,
  bytes: count,
  count: { ...count, description: 'How many values there are.' },
})

/** The schemas by which an OpenAPI document knows jobs, by their names among its components. */
export const jobSchemas: Readonly<Record<string, JsonSchema>> = Object.freeze({
  Job: object({
    id: text,
    function: text,
    category: orNull(text),
    principal: text,
    state: { type: 'string', enum: [...jobStates] },
    createdMs: time,
    startedMs: orNull(time),
    endedMs: orNull(time),
    expiresMs: orNull(time),
    attempt: count,
    cancelRequested: flag,
    rollingBack: flag,
    steps: listOf(step),
    progress,
    metrics: { type: 'object', additionalProperties: anything },
    files: listOf(object({ name: text, mediaType: text, bytes: count, url: path })),
    error: orNull(error),
    result: orNull(result),
    links: object({ self: path, events: path, logs: path, result: path }),
  }),
  JobList: object({
    jobs: listOf({ $ref: '#/components/schemas/Job' }),
    links: object({ next: orNull(path) }),
  }),
  JobEvent: object(
    {
      seq: { type: 'integer', minimum: 1 },
      atMs: time,
      kind: {
        type: 'string',
        enum: ['state', 'step', 'progress', 'metrics', 'log', 'message', 'file', 'dropped'],
      },
      data: anything,
    },
    {
      description: 'After the last event of an ended job comes one of the kind `end` whose data is the job.',
    },
  ),
})
