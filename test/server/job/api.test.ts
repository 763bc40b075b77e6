import { Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import { defineAction, defineFunction, modelId } from '../../../runtime/index.ts'
import { openApiDocument } from '../../../runtime/server/document.ts'
import { jobPaths } from '../../../runtime/server/job/api.ts'
import { createJobRoutes, type JobRoutesOptions } from '../../../runtime/server/job/routes.ts'
import { findOpenApiFaults } from '../openapi-rules.ts'
import { manifestOf } from '../served.ts'

const action = manifestOf(
  'evaluate.ts',
  defineAction({
    description: 'Evaluates.',
    params: Type.Object({ modelId: modelId() }),
    result: Type.Object({ accuracy: Type.Number() }),
    execute: () => ({ accuracy: 1 }),
  }),
)
const plain = manifestOf('a.ts', defineFunction({ handler: () => null }))
const identity = { appName: 'app@1.0.0', routePrefix: '/v1' }

function documentOf(...functions: readonly (typeof action)[]): ReturnType<typeof JSON.parse> {
  return openApiDocument({ functions, broken: [] }, identity)
}

describe('the document of an app with actions', () => {
  it('keeps the rules of OpenAPI 3.1', () => {
    expect(findOpenApiFaults(documentOf(action, plain))).toEqual([])
  })

  it('says how a job is submitted, and where it is found then', () => {
    const { post } = documentOf(action).paths['/v1/evaluate']
    expect(post.tags).toEqual(['Actions'])
    expect(post.parameters.map(({ name }: { name: string }) => name)).toEqual(['Prefer', 'Idempotency-Key'])
    expect(Object.keys(post.responses)).toEqual(
      expect.arrayContaining(['200', '202', '401', '403', '422', '429', '503']),
    )
    expect(post.responses[202].headers.Location).toBeDefined()
    expect(post.responses[202].content['application/json'].schema).toEqual({
      $ref: '#/components/schemas/Job',
    })
    expect(post['x-job-result']).toMatchObject({ type: 'object', required: ['accuracy'] })
  })

  it('leads from a job to operations that there are', () => {
    const { paths } = documentOf(action)
    const operations = Object.values(paths).flatMap((item) => Object.values(item as object))
    const ids = new Set(operations.map(({ operationId }) => operationId))
    const links: { operationId: string }[] = Object.values(paths['/v1/evaluate'].post.responses[202].links)
    expect(links.filter(({ operationId }) => !ids.has(operationId))).toEqual([])
  })

  it('has nothing of jobs where there is no action', () => {
    expect(Object.keys(documentOf(plain).paths)).toEqual(['/v1/a'])
    expect(Object.keys(documentOf(plain).components.schemas)).toEqual(['Problem'])
  })
})

it('each path of jobs is described, with its methods', () => {
  const routes = createJobRoutes({} as JobRoutesOptions).map(({ path, handlers }) => [
    path.replaceAll(/:(\w+)/g, '{$1}'),
    Object.keys(handlers).map((method) => method.toLowerCase()),
  ])
  const described = Object.entries(jobPaths()).map(([path, item]) => [path, Object.keys(item)])
  expect(routes).toEqual(described)
})
