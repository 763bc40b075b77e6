import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { adding } from '../support/function-files.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import {
  makeProject,
  type Reply,
  startServer,
  type TestProject,
  type TestServer,
  until,
} from '../support/server.ts'

let project: TestProject
let server: TestServer

beforeAll(async () => {
  project = await makeProject({
    'functions/add.ts': adding,
    'functions/_models/34/model.onnx': addConstantModel(34),
    '1.onnx': addConstantModel(1),
    '2.onnx': addConstantModel(2),
  })
  for (const version of [1, 2]) await project.run('models', 'add', `${version}.onnx`, '--id', 'sum')
  await project.run('models', 'add', '1.onnx', '--id', 'going')
  for (const tenant of ['acme', 'other']) await project.run('tenants', 'add', tenant)
  server = await startServer(project, 'serve', ['--replicas', '1'])
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await project[Symbol.asyncDispose]()
})

const ask = (token: string, x = 0): Promise<Reply> => server.call('/add', { json: { x }, token })

/** How many models are loaded. */
const loaded = async (): Promise<number> => (await server.call('/readyz')).json.replicas.ready[0].models

describe('two versions of a model', () => {
  it('are loaded side by side, and each answers its own', async () => {
    const tokens = await Promise.all([server.token('sum@1'), server.token('sum@2')])
    const replies = await Promise.all(
      Array.from({ length: 100 }, (_, index) => ask(tokens[index % 2] ?? '', index)),
    )
    for (const [index, { status, json }] of replies.entries()) {
      const version = (index % 2) + 1
      expect([status, json.version, json.y]).toEqual([200, String(version), index + version])
    }
    expect(await loaded()).toBe(2)
  })
})

describe('a model that is loaded', () => {
  it('answers a tenant no more who was revoked, and others as before', async () => {
    const [acme, other] = await Promise.all([server.token('34', 'acme'), server.token('34', 'other')])
    expect((await ask(acme)).json).toMatchObject({ y: 34 })
    expect((await ask(other)).json).toMatchObject({ y: 34 })
    expect((await project.run('tenants', 'revoke', 'acme')).code).toBe(0)
    await until(async () => (await ask(acme)).status !== 200)
    expect(await ask(acme)).toMatchObject({ status: 403, json: { code: 'MODEL_FORBIDDEN' } })
    expect((await ask(other)).json).toMatchObject({ y: 34 })
  })

  it('answers nobody any more once it is removed', async () => {
    const token = await server.token('going')
    expect((await ask(token)).json).toMatchObject({ y: 1 })
    expect((await project.run('models', 'remove', 'going')).code).toBe(0)
    await until(async () => (await ask(token)).status !== 200)
    expect(await ask(token)).toMatchObject({ status: 404, json: { code: 'MODEL_NOT_FOUND' } })
  })
})
