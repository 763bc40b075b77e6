import type { JsonSchema } from '../../build/manifest.ts'
import { type ErrorCode, errorCodes } from '../../error/codes.ts'
import { errorTitles } from '../../error/titles.ts'
import { jobStates } from '../../job/job.ts'
import { linesMediaType } from '../admin/progress-reply.ts'
import { longestWaitSeconds } from './preference.ts'

/** The replies of an OpenAPI operation, by status. */
export type Responses = Readonly<Record<string, object>>

const job: JsonSchema = { $ref: '#/components/schemas/Job' }
const asJob = { 'application/json': { schema: job } }

const prefer = {
  name: 'Prefer',
  in: 'header',
  required: false,
  description: `\`wait=N\` waits for the end of the job, at most ${longestWaitSeconds} seconds (RFC 7240).`,
  schema: { type: 'string', examples: ['wait=30'] },
}

/** The headers of an action's requests. */
export const submissionParameters: readonly object[] = Object.freeze([
  prefer,
  {
    name: 'Idempotency-Key',
    in: 'header',
    required: false,
    description: 'A request that is sent again with the same key gets the same job.',
    schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[!-~]+$' },
  },
])

/** What an action's requests are answered with, where nothing is wrong. */
export const submissionResponses: Responses = Object.freeze({
  200: { description: 'The job, which has ended', headers: { Location: locationHeader() }, content: asJob },
  202: {
    description: 'The job, which has not ended yet',
    headers: { Location: locationHeader() },
    content: asJob,
    links: {
      job: { operationId: 'get_job', parameters: { id: '$response.body#/id' } },
      events: { operationId: 'get_job_events', parameters: { id: '$response.body#/id' } },
      result: { operationId: 'get_job_result', parameters: { id: '$response.body#/id' } },
    },
  },
})

/** The codes of problems that only actions' requests may end in. */
export const submissionCodes: readonly ErrorCode[] = Object.freeze([
  'REQUEST_MALFORMED',
  'MODEL_FORBIDDEN',
  'MODEL_NOT_FOUND',
  'SHARE_EXCEEDED',
  'JOB_STORE_UNAVAILABLE',
])

/** The paths of jobs, as they stand in the OpenAPI document of an app that has actions. */
export function jobPaths(): Readonly<Record<string, Readonly<Record<string, object>>>> {
  return {
    '/-/jobs': {
      get: operation('list_jobs', {
        summary: 'The jobs of whoever asks, the newest first',
        parameters: listParameters,
        responses: {
          200: reply('The jobs', {
            'application/json': { schema: { $ref: '#/components/schemas/JobList' } },
          }),
          ...problems('TOKEN_INVALID', 'INPUT_INVALID'),
        },
      }),
    },
    '/-/jobs/{id}': {
      get: operation('get_job', {
        summary: 'A job',
        parameters: [id, prefer],
        responses: { 200: reply('The job', asJob), ...problems('TOKEN_INVALID', 'JOB_NOT_FOUND') },
      }),
      delete: operation('cancel_job', {
        summary: 'Cancels a job',
        parameters: [id],
        responses: {
          200: reply('The job, which has ended', asJob),
          202: reply('The job, which is asked to end', asJob),
          ...problems('TOKEN_INVALID', 'JOB_NOT_FOUND'),
        },
      }),
    },
    ...partPaths(),
  }
}

/** The parts of a job that have paths of their own. */
function partPaths(): ReturnType<typeof jobPaths> {
  return {
    '/-/jobs/{id}/events': {
      get: operation('get_job_events', {
        summary: 'What happens to a job, as it happens, to its end',
        parameters: [id, ...afterParameters],
        responses: {
          200: reply('The events', { 'text/event-stream': {}, [linesMediaType]: {} }),
          ...readingProblems,
        },
      }),
    },
    '/-/jobs/{id}/logs': {
      get: operation('get_job_logs', {
        summary: 'What a job has said so far',
        parameters: [id, ...afterParameters],
        responses: { 200: reply('The log', { 'text/plain': {}, [linesMediaType]: {} }), ...readingProblems },
      }),
    },
    '/-/jobs/{id}/result': {
      get: operation('get_job_result', {
        summary: 'What a job has given',
        parameters: [id, range],
        responses: contentResponses('The result', { 'application/json': {}, [linesMediaType]: {} }),
      }),
    },
    '/-/jobs/{id}/files/{name}': {
      get: operation('get_job_file', {
        summary: 'A file of a job',
        parameters: [id, { name: 'name', in: 'path', required: true, schema: { type: 'string' } }, range],
        responses: contentResponses('The file', { '*/*': {} }),
      }),
    },
  }
}

const id = { name: 'id', in: 'path', required: true, schema: { type: 'string' } }
const range = { name: 'Range', in: 'header', required: false, schema: { type: 'string' } }

const afterParameters = [
  {
    name: 'after',
    in: 'query',
    required: false,
    description: 'The number of the last event that is known already.',
    schema: { type: 'integer', minimum: 0 },
  },
  { name: 'Last-Event-ID', in: 'header', required: false, schema: { type: 'integer', minimum: 0 } },
]

const listParameters = [
  { name: 'state', in: 'query', required: false, schema: { type: 'string', enum: [...jobStates] } },
  { name: 'function', in: 'query', required: false, schema: { type: 'string' } },
  {
    name: 'before',
    in: 'query',
    required: false,
    description: 'Those older than the job with this id.',
    schema: { type: 'string' },
  },
  { name: 'limit', in: 'query', required: false, schema: { type: 'integer', minimum: 1, maximum: 1_000 } },
]

const readingProblems = problems('TOKEN_INVALID', 'JOB_NOT_FOUND', 'INPUT_INVALID')

function operation(
  operationId: string,
  what: { readonly summary: string; readonly parameters: readonly object[]; readonly responses: Responses },
): object {
  const security = [{ modelToken: [] }, { bearer: [] }, {}]
  return { operationId, tags: ['Jobs'], ...what, security }
}

function reply(description: string, content: object): object {
  return { description, content }
}

function contentResponses(description: string, content: object): Responses {
  return {
    200: reply(description, content),
    206: reply('A part of it', content),
    ...problems('TOKEN_INVALID', 'JOB_NOT_FOUND', 'JOB_ENDED', 'RANGE_UNSATISFIABLE'),
  }
}

function locationHeader(): object {
  return { description: 'The path of the job', schema: { type: 'string', format: 'uri-reference' } }
}

/** Problem documents by the statuses of these codes. */
export function problems(...codes: readonly ErrorCode[]): Responses {
  const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } }
  return Object.fromEntries(
    codes.map((code) => [errorCodes[code].status, { description: errorTitles[code], content }]),
  )
}
