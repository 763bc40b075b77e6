import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { adding } from '../support/function-files.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import {
  call,
  makeProject,
  type Reply,
  startServer,
  type TestProject,
  type TestServer,
} from '../support/server.ts'

const own = `import { defineFunction } from 'isoplex'
export default defineFunction({ method: 'POST', access: 'public', idempotent: false, maxBodyBytes: 7, handler: () => 1 })`

let project: TestProject
let server: TestServer

beforeAll(async () => {
  project = await makeProject({
    'functions/add.ts': adding,
    'functions/own.ts': own,
    'functions/_models/a/model.onnx': addConstantModel(1),
    'functions/_models/b/model.onnx': addConstantModel(2),
  })
  server = await startServer(project, 'serve', ['--replicas', '0'])
})

afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await project[Symbol.asyncDispose]()
})

function ask(
  path: string,
  { method = 'POST', token }: { method?: string; token?: string } = {},
): Promise<Reply> {
  return call(`${server.url}/-/model-key`, {
    method: 'POST',
    headers: { 'x-forwarded-method': method, 'x-forwarded-uri': path },
    ...(token === undefined ? {} : { token }),
  })
}

describe('a server without replicas', () => {
  it('tells what a request needs: equal for equal models, whatever the token', async () => {
    const keys = await Promise.all(
      ['a', 'a', 'b'].map(
        async (model) => (await ask('/add', { token: await server.token(model) })).json.key,
      ),
    )
    expect(keys[0]).toMatch(/^a@1~[0-9a-f]{16}$/)
    expect(keys[1]).toBe(keys[0])
    expect(keys[2]).not.toBe(keys[0])
  })

  it.each([
    ['a port', ':99999'],
    ['another place', '@127.0.0.1:1/own'],
    ['a whole URL', 'http://127.0.0.1:1/own'],
  ])('refuses %s', async (_, path) => {
    expect((await ask(path)).json).toMatchObject({ code: 'INPUT_INVALID' })
  })

  it('tells what the function is like, by any path that leads to it', async () => {
    const { json } = await ask('/own?a=b')
    expect(json).toEqual({ function: 'own', key: null, idempotent: false, maxBodyBytes: 7 })
  })

  it.each([
    ['/add', 'POST', 401, 'TOKEN_MISSING'],
    ['/nowhere', 'POST', 404, 'ROUTE_NOT_FOUND'],
    ['/own', 'GET', 405, 'METHOD_NOT_ALLOWED'],
    ['/-/model-key', 'POST', 404, 'ROUTE_NOT_FOUND'],
  ])('answers %s %s as the function would', async (path, method, status, code) => {
    const reply = await ask(path, { method })
    expect([reply.status, reply.json.code]).toEqual([status, code])
  })

  it('says nothing of a model to whom may not use it', async () => {
    expect((await ask('/add', { token: 'eyJhbGciOiJIUzI1NiJ9.e30.bad' })).status).toBe(401)
    expect((await ask('/add', { token: await server.token('nobody') })).json.code).toBe('MODEL_NOT_FOUND')
  })

  it('is ready, and refuses to run a function', async () => {
    expect((await call(`${server.url}/readyz`)).status).toBe(200)
    const reply = await call(`${server.url}/own`, { method: 'POST' })
    expect([reply.status, reply.json.code]).toEqual([503, 'REPLICAS_MISSING'])
  })
})

describe('a server with replicas', () => {
  it('has no such path', async () => {
    await using other = await startServer(project, 'serve', ['--replicas', '1'])
    expect((await call(`${other.url}/-/model-key`, { method: 'POST' })).status).toBe(404)
  })
})
