import { expect, it } from 'vitest'
import { toJobDocument } from '../../../runtime/job/document.ts'
import { jobSchemas } from '../../../runtime/server/job/api-schemas.ts'
import { sampleJob } from '../../job/sample-job.ts'

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
}

/** The names that a value has and its schema has not, or the other way round, with their paths. */
function differences(value: unknown, schema: Schema | undefined, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return []
  if (Array.isArray(value)) return value.flatMap((item) => differences(item, schema?.items, `${path}[]`))
  const properties = (schema?.anyOf?.[0] ?? schema)?.properties
  if (!properties) return []
  const names = new Set([...Object.keys(value), ...Object.keys(properties)])
  return [...names].flatMap((name) => {
    const place = `${path}/${name}`
    if (!Object.hasOwn(value, name) || !Object.hasOwn(properties, name)) return [place]
    return differences((value as Record<string, unknown>)[name], properties[name], place)
  })
}

const job = toJobDocument(
  sampleJob({
    steps: [{ name: 'a', state: 'done', endedMs: 1 }],
    files: [{ name: 'a', mediaType: 'text/csv', bytes: 1 }],
    error: { code: 'STEP_FAILED', message: 'No.', step: 'a', rollbackErrors: [] },
    result: { form: 'value', mediaType: 'application/json', bytes: 1, count: 1 },
  }),
)

it('describes all that is told of a job, and nothing else', () => {
  expect(differences(job, jobSchemas.Job)).toEqual([])
  const { error, ...rest } = job
  expect(differences({ ...rest, error: { ...error, cause: 'x' }, more: 1 }, jobSchemas.Job)).toEqual([
    '/error/cause',
    '/more',
  ])
})

it('describes all that is told of an event and of a list', () => {
  expect(differences({ seq: 1, atMs: 1, kind: 'log', data: {} }, jobSchemas.JobEvent)).toEqual([])
  expect(differences({ jobs: [], links: { next: null } }, jobSchemas.JobList)).toEqual([])
})
