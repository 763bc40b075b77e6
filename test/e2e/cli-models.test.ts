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

async function ask(model: string): Promise<Reply> {
  return await server.call('/add', { json: { x: 10 }, token: await server.token(model) })
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
  it('has it serve a new model, a new version with its fields, and no removed one', async () => {
    expect((await ask('mine')).status).toBe(404)
    await project.run('models', 'add', 'one.onnx', '--id', 'mine')
    const first = await answered('mine', ({ status }) => status === 200)
    expect(first.json).toEqual({ y: 11, model: 'mine', version: '1', note: null })
    // The limit of this test is shorter than the time for which a server remembers what it was told of a model.
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
  })

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

  it('takes the tokens of the command', async () => {
    await project.run('models', 'add', 'two.onnx', '--id', 'third')
    const { stdout } = await project.run('token', '--model', 'third', '--tenant', 'acme')
    await answered('third', ({ status }) => status === 200)
    const { json } = await server.call('/add', { json: { x: 10 }, token: stdout.trim() })
    expect(json).toMatchObject({ y: 12, model: 'third' })
  })
})
