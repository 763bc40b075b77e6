import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { adding } from '../support/function-files.ts'
import { startNode, startNodeGateway, type TestNode } from '../support/nodes.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import { makeProject, type TestProject, type TestServer, until } from '../support/server.ts'
import { startLoad } from './crash-project.ts'

describe('models of a gateway over two nodes', { timeout: 60_000 }, () => {
  let project: TestProject
  let first: TestNode
  let second: TestNode
  let gateway: TestServer
  const models = [1, 2, 3, 4]

  beforeAll(async () => {
    const files = models.map((model) => [`functions/_models/${model}/model.onnx`, addConstantModel(model)])
    project = await makeProject(
      { 'functions/add.ts': adding, ...Object.fromEntries(files) },
      { metricsAccess: 'public' },
    )
    ;[first, second] = await Promise.all([startNode(project), startNode(project)])
    gateway = await startNodeGateway(project, [first.address, second.address])
    await until(async () => (await servingOf(gateway)) === 2)
  })
  afterAll(async () => {
    await Promise.all([gateway, first, second].map((each) => each[Symbol.asyncDispose]()))
    await project[Symbol.asyncDispose]()
  })

  async function loads(): Promise<number> {
    const { text } = await gateway.call('/metrics')
    return text
      .split('\n')
      .filter((line) => line.startsWith('isoplex_model_load_total{'))
      .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
  }

  it('are on nodes that metrics count', async () => {
    expect((await gateway.call('/metrics')).text).toContain('isoplex_node_count{state="up"} 2')
  })

  it.each([1, 8, 32])(
    'stay where they are loaded, a fresh token each request, at %i clients',
    async (clients) => {
      const ask = async (count: number) => {
        const model = models[count % models.length] ?? 1
        const reply = await gateway.call('/add', {
          json: { x: count },
          token: await gateway.token(String(model)),
        })
        if (reply.status === 200 && reply.json.y !== count + model) throw new Error(`wrong: ${reply.text}`)
        return reply
      }
      for (let count = 0; count < 8; count += 1) await ask(count)
      const before = await loads()
      const load = startLoad(clients, ask)
      await until(() => load.answered >= 400 || load.failures.length > 0)
      await load.stop()
      expect(load.failures).toEqual([])
      // A request that finds its model loaded is a hit; a further copy of a hot model is a load like any other.
      expect(1 - ((await loads()) - before) / load.answered).toBeGreaterThanOrEqual(0.95)
    },
  )
})

async function servingOf(server: TestServer): Promise<number> {
  return (await server.call('/readyz')).json.replicas.ready.length
}
