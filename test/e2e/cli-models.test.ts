import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { adding } from '../support/function-files.ts'
import { addConstantModel, garbageBytes } from '../support/onnx-models.ts'
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
    'one.onnx': addConstantModel(1),
    'two.onnx': addConstantModel(2),
    'garbage.onnx': garbageBytes(),
  })
  server = await startServer(project, 'serve', ['--replicas', '1'])
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await project[Symbol.asyncDispose]()
})

/** Asks with a token that the command makes. */
async function ask(model: string): Promise<Reply> {
  const { stdout } = await project.run('token', '--model', model)
  return await server.call('/add', { json: { x: 10 }, token: stdout.trim() })
}

/** Waits until an answer fits; a server may take a moment to hear of a change. */
async function answered(model: string, fits: (reply: Reply) => boolean): Promise<Reply> {
  let reply = await ask(model)
  await until(async () => {
    if (fits(reply)) return true
    reply = await ask(model)
    return false
  })
  return reply
}

describe('isoplex models beside a running server', () => {
  // Well below the time for which a server remembers what it was told of a model.
  const promptMs = 5_000

  it(
    'has it serve a new model, a new version with its fields, and no removed one',
    async () => {
      expect((await ask('mine')).status).toBe(404)
      await project.run('models', 'add', 'one.onnx', '--id', 'mine')
      const first = await answered('mine', ({ status }) => status === 200)
      expect(first.json).toEqual({ y: 11, model: 'mine', version: '1', note: null })
      await project.run('models', 'add', 'two.onnx', '--id', 'mine', '--field', 'note={"from":"here"}')
      const second = await answered('mine', ({ json }) => json.version !== '1')
      expect(second.json).toEqual({ y: 12, model: 'mine', version: '2', note: { from: 'here' } })
      await project.run('models', 'remove', 'mine@2')
      expect((await answered('mine', ({ json }) => json.version === '1')).json).toMatchObject({ y: 11 })
      await project.run('models', 'remove', 'mine')
      expect((await answered('mine', ({ status }) => status !== 200)).json).toMatchObject({
        status: 404,
        code: 'MODEL_NOT_FOUND',
      })
    },
    promptMs,
  )

  it('answers 502 for a file that is no model, and serves the next one', async () => {
    await project.run('models', 'add', 'garbage.onnx', '--id', 'other')
    const { json } = await answered('other', ({ status }) => status !== 404)
    expect(json).toMatchObject({ status: 502, code: 'MODEL_BROKEN' })
    await project.run('models', 'add', 'one.onnx', '--id', 'other')
    expect((await answered('other', ({ status }) => status === 200)).json).toMatchObject({
      y: 11,
      version: '2',
    })
  })

  it('takes the tokens of the command, as long as they live', async () => {
    await project.run('models', 'add', 'one.onnx', '--id', 'mine')
    const { stdout } = await project.run('token', '--model', 'mine', '--expires-in-seconds', '1')
    const token = stdout.trim()
    await until(async () => (await server.call('/add', { json: { x: 1 }, token })).status !== 200)
    expect((await server.call('/add', { json: { x: 1 }, token })).json).toMatchObject({
      status: 401,
      code: 'TOKEN_INVALID',
      reason: 'expired',
    })
  })
})
