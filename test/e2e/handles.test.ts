import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addConstantModel } from '../support/onnx-models.ts'
import { makeProject, startServer, type TestProject, type TestServer, until } from '../support/server.ts'
import { callingFunctions } from './calling-project.ts'

let project: TestProject
let server: TestServer

beforeAll(async () => {
  project = await makeProject({
    ...callingFunctions,
    'functions/_models/five/model.onnx': addConstantModel(5),
    'functions/_models/two/model.onnx': addConstantModel(2),
  })
  server = await startServer(project, 'dev', ['--replicas', '1', '--max-models-per-replica', '2'])
}, 60_000)
afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
  await project?.[Symbol.asyncDispose]()
})

const ask = async (path: string, json: unknown, token?: string) =>
  server.call(path, { json, ...(token === undefined ? {} : { token }) })
const log = (name: string): string => join(project.directory, name)
const logged = (name: string): Promise<string> => readFile(log(name), 'utf8').catch(() => '')

describe('a function that calls one with a model', () => {
  it('gets its tensors as they are, by the default model without a token', async () => {
    const { json } = await ask('/sum', { x: [1, 2.5] })
    expect(json).toMatchObject([{ y: [6, 7.5], type: 'float32', model: 'five', asked: 'anonymous' }])
  })

  it('has the model of the token answer, in the name of whoever asked', async () => {
    const token = await server.token('two', 'acme')
    const { json } = await ask('/sum', { x: [1] }, token)
    expect(json).toMatchObject([{ y: [3], model: 'two', asked: expect.not.stringMatching('anonymous') }])
    expect((await ask('/sum', { x: [1] }, await server.token('two', 'other'))).json).toMatchObject([
      { y: [3] },
    ])
  })

  it('may name the model', async () => {
    expect((await ask('/sum', { x: [1], model: 'two' })).json).toMatchObject([{ y: [3], model: 'two' }])
  })

  it('may call it many times at once', async () => {
    const { status, json } = await ask('/sum?many=200', { x: [1] })
    expect(status).toBe(200)
    expect(json).toHaveLength(200)
    expect(new Set(json.map(({ y }: { y: number[] }) => y[0]))).toEqual(new Set([6]))
    const replies = await Promise.all(Array.from({ length: 20 }, (_, x) => ask('/sum?many=20', { x: [x] })))
    for (const [x, { json }] of replies.entries()) {
      expect(json).toHaveLength(20)
      expect(json[19]).toMatchObject({ y: [x + 5] })
    }
  })

  it('gets the answers to many inputs in their order, and asks for no more than it reads', async () => {
    const whole = (await ask('/all', { count: 50, take: 50 })).json
    expect(whole.seen).toEqual(Array.from({ length: 50 }, (_, n) => n + 5))
    const { seen, asked } = (await ask('/all', { count: 1_000, take: 3 })).json
    expect(seen).toEqual([5, 6, 7])
    expect(asked).toBeLessThan(20)
  })

  it('sends files, path and query, and gets files', async () => {
    expect((await ask('/pictures', {})).json).toEqual({
      pictures: [
        [[3, 2, 1], 'image/png', 'a.png'],
        [[3, 2, 1], 'image/png', 'a.png'],
      ],
      note: 'ünïcode',
    })
  })
})

describe('a stream that a function reads of another', () => {
  it('has its tensors, whatever its length', async () => {
    expect((await ask('/counting', { to: 20_000, log: log('whole') })).json).toBe(199_990_000)
    expect(await logged('whole')).toBe('begun\nended\n')
  })

  it('ends where nobody reads on', async () => {
    expect((await ask('/counting', { to: 3, wait: true, take: 3, log: log('left') })).json).toBe(3)
    await until(async () => (await logged('left')).includes('aborted'))
  })

  it('ends where the client goes', async () => {
    const going = new AbortController()
    const asked = fetch(`${server.url}/counting`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ to: 1, wait: true, log: log('gone') }),
      signal: going.signal,
    })
    asked.catch(() => undefined)
    await until(async () => (await logged('gone')).includes('begun'))
    going.abort()
    await until(async () => (await logged('gone')).includes('aborted'))
    await expect(asked).rejects.toThrow()
  })

  it('takes as long as it likes once it has begun, and fails with its function', async () => {
    expect((await ask('/counting', { to: 2_000, timeoutMs: 5_000, log: log('slow') })).json).toBe(1_999_000)
    const { json } = await ask('/counting', { to: 2, fail: true, log: log('failed') })
    expect(json).toMatchObject({ code: 'INTERNAL' })
    expect(JSON.stringify(json)).not.toContain('secret')
  })
})

describe('a call that cannot be answered', () => {
  it.each([
    ['code', { status: 422, code: 'URL_REFUSED', detail: 'Not there.', reason: 'host' }],
    ['throw', { code: 'INTERNAL' }],
    ['output', { code: 'OUTPUT_INVALID' }],
    ['input', { status: 422, code: 'INPUT_INVALID' }],
    ['unknown', { code: 'FUNCTION_NOT_FOUND' }],
    ['recursion', { code: 'CALL_TOO_DEEP', chain: Array.from({ length: 17 }, () => 'odd') }],
    ['deep', { code: 'CALL_TOO_DEEP', chain: expect.arrayContaining(['odd', 'fails']) }],
    ['deadline', { code: 'DEADLINE_EXCEEDED' }],
  ])('by %s fails with what it fails with', async (how, problem) => {
    const { json } = await ask('/odd', { how })
    expect(JSON.stringify(json)).not.toContain('secret')
    expect(json).toMatchObject(problem)
  })

  it('since its request was answered is refused', async () => {
    expect((await ask('/odd', { how: 'keep' })).json).toBe('kept')
    expect((await ask('/odd', { how: 'late' })).json).toMatchObject({
      code: 'CANCELLED',
      detail: expect.stringContaining('has been answered'),
    })
  })

  it('leaves the server as it was', async () => {
    expect((await ask('/sum', { x: [1] })).json).toMatchObject([{ y: [6] }])
  })
})

it('lists what a function may call', async () => {
  const { routes } = (await server.call('/-/routes')).json
  expect(routes.find(({ name }: { name: string }) => name === 'odd')).toMatchObject({
    calls: ['add', 'fails'],
  })
})

it('refuses a call by a token that has no right to the model', async () => {
  await using serving = await startServer(project, 'serve', ['--replicas', '1'])
  await project.run('tenants', 'add', 'revoked')
  const token = await serving.token('two', 'revoked')
  expect((await serving.call('/sum', { json: { x: [1] }, token })).json).toMatchObject([{ y: [3] }])
  await project.run('tenants', 'revoke', 'revoked')
  await until(async () => (await serving.call('/sum', { json: { x: [1] }, token })).status !== 200)
  expect((await serving.call('/sum', { json: { x: [1] }, token })).json).toMatchObject({
    code: 'MODEL_FORBIDDEN',
  })
  expect((await serving.call('/sum', { json: { x: [1] } })).json).toMatchObject({ code: 'TOKEN_MISSING' })
})
