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

/** What readiness tells of each node. */
async function nodeStates(server: TestServer): Promise<string[]> {
  const { json } = await server.call('/readyz')
  return json.nodes.map(({ state }: { state: string }) => state).toSorted()
}

describe('versions of what nodes serve', { timeout: 60_000 }, () => {
  const version = (text: string): string => `
import { defineFunction } from 'isoplex'
export default defineFunction({ access: 'public', handler: () => '${text}' })
`

  it('go live when no node serves the one before any more, without a lost request', async () => {
    await using old = await makeProject({ 'functions/name.ts': version('old') })
    await using fresh = await makeProject({ 'functions/name.ts': version('fresh') })
    await using one = await startNode(old)
    await using other = await startNode(old)
    await using server = await startNodeGateway(old, [one.address, other.address])
    const seen = new Set<string>()
    const load = startLoad(4, async () => {
      const reply = await server.call('/name')
      seen.add(reply.json)
      return reply
    })
    await until(() => load.answered > 20)
    await one.server.end('SIGTERM')
    await using replaced = await startNode(fresh, ['--node-address', one.address])
    await until(async () => (await nodeStates(server)).join() === 'up,up')
    expect([...seen]).toEqual(['old'])
    await other.server.end('SIGTERM')
    await until(() => seen.has('fresh') || load.failures.length > 0)
    await load.stop()
    expect(load.failures).toEqual([])
    expect((await server.call('/name')).json).toBe('fresh')
    expect(replaced.address).toBe(one.address)
  })

  it('are waited for: without a node a request is refused once its time is up', async () => {
    await using empty = await makeProject({}, { requestTimeoutMs: 300 })
    await using node = await startNode(empty)
    const gone = node.address
    await node.server.end('SIGTERM')
    await using server = await startNodeGateway(empty, [gone])
    const reply = await server.call('/name')
    expect(reply).toMatchObject({ status: 503, json: { code: 'REPLICAS_MISSING' } })
    expect((await server.call('/readyz')).status).toBe(503)
  })
})
