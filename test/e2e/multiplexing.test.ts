import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addConstantModel } from '../support/onnx-models.ts'
import { makeProject, startServer, type TestProject, type TestServer, until } from '../support/server.ts'

/** Adds what its model holds, and says how many models its replica has loaded. */
const addFunction = `
import { Type } from '@sinclair/typebox'
import { defineInference, onnx, tensor } from 'isoplex'

export default defineInference({
  input: Type.Object({ x: Type.Number() }),
  output: Type.Object({ y: Type.Number(), model: Type.String() }),
  model: onnx({ inputs: ['x'], outputs: ['y'] }),
  async infer({ x }, { model, modelId }) {
    const { y } = await model.run({ x: tensor('float32', Float32Array.of(x), [1]) })
    return { y: Number(y.item()), model: modelId }
  },
})
`

const models = { a: 1, b: 20, c: 300, d: 4_000, e: 50_000 }

describe('many models behind one function', () => {
  let project: TestProject
  let server: TestServer

  beforeAll(async () => {
    const folders = Object.entries(models).map(([id, constant]) => [
      `functions/_models/${id}/model.onnx`,
      addConstantModel(constant),
    ])
    project = await makeProject({ 'functions/add.ts': addFunction, ...Object.fromEntries(folders) })
    server = await startServer(project, 'serve', ['--replicas', '1'])
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
    await project[Symbol.asyncDispose]()
  })

  it('answers each token with its own model, and never keeps more than the limit', async () => {
    const tokens = new Map<string, string>()
    for (const id of Object.keys(models)) tokens.set(id, await server.token(id))
    let most = 0
    for (let round = 0; round < 4; round += 1) {
      for (const [id, constant] of Object.entries(models)) {
        const reply = await server.call('/add', { json: { x: round }, token: tokens.get(id) ?? '' })
        expect(reply.json).toEqual({ y: round + constant, model: id })
        const ready = await server.call('/readyz')
        most = Math.max(most, ready.json.replicas.ready[0].models)
      }
    }
    expect(most).toBe(3)
  })

  it('answers all of a mixed crowd', async () => {
    const ids = Object.keys(models) as (keyof typeof models)[]
    const tokens = await Promise.all(ids.map((id) => server.token(id)))
    const calls = Array.from({ length: 200 }, async (_, index) => {
      const id = ids[index % ids.length] ?? 'a'
      const reply = await server.call('/add', { json: { x: index }, token: tokens[index % ids.length] ?? '' })
      expect(reply.json).toEqual({ y: index + models[id], model: id })
    })
    await Promise.all(calls)
    await until(async () => (await server.call('/readyz')).json.replicas.ready[0].models <= 3)
  })
})
