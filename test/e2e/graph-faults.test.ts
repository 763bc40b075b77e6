import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addConstantModel } from '../support/onnx-models.ts'
import { startServer, type TestProject, type TestServer, until } from '../support/server.ts'
import { replicasOf, startLoad } from './crash-project.ts'
import { makeGraphProject } from './graph-project.ts'

describe('a replica that is killed while it runs a graph', () => {
  let project: TestProject
  let server: TestServer

  beforeAll(async () => {
    project = await makeGraphProject()
    server = await startServer(project, 'serve', ['--replicas', '2'])
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
    await project[Symbol.asyncDispose]()
  })

  it('costs no request: the graph runs again as a whole', async () => {
    const load = startLoad(4, async (count) => {
      const reply = await server.call('/sum', { json: { x: count } })
      if (reply.status === 200 && reply.json.sum !== 4 * count + 134) throw new Error(`wrong: ${reply.text}`)
      return reply
    })
    await until(() => load.answered > 20)
    for (const pid of (await replicasOf(server)).slice(0, 2)) process.kill(pid, 'SIGKILL')
    const before = load.answered
    await until(() => load.answered > before + 20 || load.failures.length > 0)
    await load.stop()
    expect(load.failures).toEqual([])
  }, 60_000)
})

describe('the memory of models', () => {
  const megabyte = 2 ** 20

  it('is that of all models of a graph: what does not fit together is refused', async () => {
    const files = {
      'functions/_models/ten/model.onnx': addConstantModel(10, 40 * megabyte),
      'functions/_models/hundred/model.onnx': addConstantModel(100, 40 * megabyte),
    }
    await using project = await makeGraphProject(files, { metricsAccess: 'public' })
    const limits = ['--replicas', '1', '--max-model-bytes-per-replica', String(60 * megabyte)]
    await using server = await startServer(project, 'serve', limits)
    const { status, json } = await server.call('/sum', { json: { x: 1 } })
    expect([status, json.code]).toEqual([507, 'MODEL_TOO_LARGE'])
    expect(json.bytes).toBeGreaterThan(80 * megabyte)
    const token = await server.token('one')
    expect((await server.call('/add', { json: { x: 1 }, token })).json).toMatchObject({ y: 2 })
  }, 60_000)

  it('counts a graph as one model, of which the least recently used goes', async () => {
    await using project = await makeGraphProject()
    const limits = ['--replicas', '1', '--max-models-per-replica', '1']
    await using server = await startServer(project, 'serve', limits)
    const token = await server.token('hundred')
    const loaded = async (): Promise<string[]> => {
      const { replicas } = JSON.parse((await project.run('ps', '--json')).stdout)
      return replicas.flatMap(({ runners }: { readonly runners: readonly { readonly modelId: string }[] }) =>
        runners.map(({ modelId }) => modelId),
      )
    }
    expect((await server.call('/sum', { json: { x: 1 } })).json).toMatchObject({ sum: 138 })
    expect((await server.call('/sum', { json: { x: 1 }, token })).json).toMatchObject({ sum: 534 })
    await until(async () => (await loaded()).length === 1)
    expect(await loaded()).toEqual(['hundred+ten'])
    expect((await server.call('/sum', { json: { x: 1 } })).json).toMatchObject({ sum: 138 })
  }, 60_000)
})
