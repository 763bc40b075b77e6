import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { adding } from '../support/function-files.ts'
import { addConstantModel, garbageBytes } from '../support/onnx-models.ts'
import { makeProject, startServer, type TestProject, type TestServer } from '../support/server.ts'

let project: TestProject
let server: TestServer

beforeAll(async () => {
  project = await makeProject({
    'functions/add.ts': adding,
    'functions/_models/five/model.onnx': addConstantModel(5),
  })
  server = await startServer(project, 'dev', ['--replicas', '1'])
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await project[Symbol.asyncDispose]()
})

const ask = async (model: string) =>
  await server.call('/add', { json: { x: 1 }, token: await server.token(model) })
const told = (id: string, change: string, version: number | null) =>
  server.event((event) =>
    Bun.deepEquals({ ...event, reason: null }, { event: 'model', id, change, version, reason: null }),
  )

describe('a model folder in dev', () => {
  it('answers for tokens as soon as it is told that it is there', async () => {
    expect((await ask('six')).status).toBe(404)
    await project.write('functions/_models/six/model.onnx', addConstantModel(6))
    await told('six', 'added', 1)
    expect((await ask('six')).json).toMatchObject({ y: 7, model: 'six', version: '1' })
  })

  it('answers by its new content as soon as it is told that it has changed', async () => {
    expect((await ask('five')).json).toMatchObject({ y: 6, version: '1' })
    await project.write('functions/_models/five/model.onnx', addConstantModel(50))
    await told('five', 'updated', 2)
    expect((await ask('five')).json).toMatchObject({ y: 51, model: 'five', version: '2' })
    // The default model is the same model.
    expect((await server.call('/add', { json: { x: 1 } })).json).toMatchObject({ y: 51, version: '2' })
  })

  it('goes on being served by what it was when what comes cannot be taken', async () => {
    await project.write('functions/_models/packed/model.zip', 'PK\u0003\u0004 and no more')
    expect((await told('packed', 'failed', null)).reason).toMatch(/cut short/)
    expect((await ask('packed')).status).toBe(404)
    await project.write('functions/_models/six/model.onnx', garbageBytes())
    await told('six', 'updated', 2)
    expect((await ask('six')).json).toMatchObject({ status: 502, code: 'MODEL_BROKEN' })
    await project.write('functions/_models/six/model.onnx', addConstantModel(60))
    await told('six', 'updated', 3)
    expect((await ask('six')).json).toMatchObject({ y: 61, version: '3' })
  })

  it('is no model any more once it is gone', async () => {
    await rm(join(project.directory, 'functions/_models/six'), { recursive: true })
    await told('six', 'removed', null)
    expect(await ask('six')).toMatchObject({ status: 404, json: { code: 'MODEL_NOT_FOUND' } })
  })
})
