import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { adding } from '../support/function-files.ts'
import { nodeAuthority, nodeCertificate } from '../support/node-certificates.ts'
import { newNodeKey, startNode, startNodeGateway, type TestNode } from '../support/nodes.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import { isAlive } from '../support/process-table.ts'
import {
  type CallOptions,
  makeProject,
  startServer,
  type TestProject,
  type TestServer,
  until,
} from '../support/server.ts'
import { makeCrashProject, startLoad, startMixedLoad } from './crash-project.ts'

const streaming = `
import { defineFunction } from 'isoplex'
export default defineFunction({
  access: 'public',
  async *handler() {
    for (let n = 0; n < 5; n += 1) yield { n }
  },
})
`

const counting = `
import { defineFunction } from 'isoplex'
export default defineFunction({
  access: 'public',
  async *handler({ signal }) {
    for (let n = 0; n < 10_000 && !signal.aborted; n += 1) {
      yield { n }
      await Bun.sleep(20)
    }
  },
})
`

let project: TestProject
let first: TestNode
let second: TestNode
let gateway: TestServer
let home: string

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'isoplex-nodes-'))
})
afterAll(() => rm(home, { recursive: true, force: true }))

async function killReplicas(): Promise<void> {
  for (const node of [first, second])
    for (const pid of await node.replicas()) if (isAlive(pid)) process.kill(pid, 'SIGKILL')
}

async function readToEnd(reader: ReadableStreamDefaultReader<Uint8Array> | undefined): Promise<void> {
  while ((await reader?.read())?.done === false);
}

/** What readiness tells of each node. */
async function nodeStates(server: TestServer): Promise<string[]> {
  const { json } = await server.call('/readyz')
  return json.nodes.map(({ state }: { state: string }) => state).toSorted()
}

async function servingOf(server: TestServer): Promise<number> {
  return (await server.call('/readyz')).json.replicas.ready.length
}

describe('a gateway over two nodes that share a key with it', { timeout: 60_000 }, () => {
  let flags: string[]

  beforeEach(async () => {
    project = await makeCrashProject({
      'functions/streaming.ts': streaming,
      'functions/counting.ts': counting,
      'node.key': newNodeKey(),
    })
    flags = ['--node-key-file', 'node.key', '--log-level', 'info']
    ;[first, second] = await Promise.all([startNode(project, flags), startNode(project, flags)])
    gateway = await startNodeGateway(project, [first.address, second.address], flags)
    await until(async () => (await servingOf(gateway)) === 2)
  })
  afterEach(async () => {
    await Promise.all([gateway, first, second].map((each) => each[Symbol.asyncDispose]()))
    await project[Symbol.asyncDispose]()
  })

  it('answers as one machine does', async () => {
    await using alone = await startServer(project, 'serve', ['--state-directory', '.isoplex-alone'])
    const asked: readonly [string, CallOptions][] = [
      ['/add', { json: { x: 41 } }],
      ['/add', { json: { x: 'no number' } }],
      ['/wait?ms=1', {}],
      ['/wait?ms=x', {}],
      ['/streaming', {}],
      ['/nowhere', {}],
    ]
    for (const [path, options] of asked) {
      const [here, there] = await Promise.all([gateway.call(path, options), alone.call(path, options)])
      const told = ({ status, text }: typeof here) => [status, text.replace(/urn:[^"]*/, '')]
      expect(told(here)).toEqual(told(there))
    }
  })

  it('loses no request when a node dies under load, and takes it back when it returns', async () => {
    const load = startMixedLoad(gateway)
    await until(() => load.answered > 50)
    const orphans = await second.replicas()
    await second.server.end('SIGKILL')
    const before = load.answered
    await until(() => load.answered > before + 100 || load.failures.length > 0)
    expect(await nodeStates(gateway)).toEqual(['missing', 'up'])
    await expect.poll(() => orphans.filter(isAlive), { timeout: 5_000 }).toEqual([])
    second = await startNode(project, [...flags, '--node-address', second.address])
    await until(async () => (await servingOf(gateway)) === 2)
    await load.stop()
    expect(load.failures).toEqual([])
  })

  it('loses no request when replicas of nodes die under load', async () => {
    const load = startMixedLoad(gateway)
    await until(() => load.answered > 50)
    for (const node of [first, second, first]) {
      const before = load.answered
      for (const pid of await node.replicas()) if (isAlive(pid)) process.kill(pid, 'SIGKILL')
      await until(() => load.answered > before + 50 || load.failures.length > 0)
    }
    await load.stop()
    expect(load.failures).toEqual([])
  })

  it('loses no request when a node stops', async () => {
    const load = startMixedLoad(gateway)
    await until(() => load.answered > 50)
    expect(await first.server.end('SIGTERM')).toBe(0)
    const before = load.answered
    await until(() => load.answered > before + 50 || load.failures.length > 0)
    await load.stop()
    expect(load.failures).toEqual([])
    expect(await nodeStates(gateway)).toEqual(['missing', 'up'])
  })

  it('is lost by its nodes when it dies, and they end what they had for it', async () => {
    await gateway.call('/add', { json: { x: 1 } })
    const present = async () => [...(await first.replicas()), ...(await second.replicas())]
    // One that serves and one at hand on each, and the gateway's spare.
    await until(async () => (await present()).length === 5)
    const had = await present()
    await gateway.end('SIGKILL')
    // Each keeps the one that is at hand.
    await expect.poll(() => had.filter(isAlive).length, { timeout: 5_000 }).toBeLessThanOrEqual(2)
    gateway = await startNodeGateway(project, [first.address, second.address], flags)
    expect((await gateway.call('/add', { json: { x: 1 } })).json).toEqual({ y: 2 })
  })

  it('notices a node that does not answer any more, though nobody has closed anything', async () => {
    const load = startMixedLoad(gateway, 4)
    await until(() => load.answered > 20)
    process.kill(second.server.pid, 'SIGSTOP')
    try {
      await until(async () => (await nodeStates(gateway)).includes('missing'))
      const before = load.answered
      await until(() => load.answered > before + 50 || load.failures.length > 0)
    } finally {
      process.kill(second.server.pid, 'SIGCONT')
    }
    await until(async () => (await servingOf(gateway)) === 2)
    await load.stop()
    expect(load.failures).toEqual([])
  })

  it.each([
    ['replicas', killReplicas],
    ['nodes', () => Promise.all([first, second].map(({ server }) => server.end('SIGKILL')))],
  ])('breaks streams, and runs nothing twice that must not be, when all %s die', async (_, kill) => {
    const files = [1, 2, 3, 4].map((count) => join(project.directory, `once-${count}`))
    const once = files.map((file) => gateway.call('/once', { json: { file } }))
    const streams = await Promise.all(files.map(() => fetch(`${gateway.url}/counting`)))
    const readers = streams.map(({ body }) => body?.getReader())
    for (const reader of readers) expect((await reader?.read())?.done).toBe(false)
    await until(async () => (await Promise.all(files.map((file) => Bun.file(file).exists()))).every(Boolean))
    await kill()
    for (const reply of await Promise.all(once))
      expect(reply).toMatchObject({ status: 503, json: { code: 'REPLICA_CRASHED' } })
    for (const reader of readers) await expect(readToEnd(reader)).rejects.toThrow()
    for (const file of files) expect(await Bun.file(file).text()).toBe('begun\n')
    first = await revived(first)
    second = await revived(second)
    await until(async () => (await servingOf(gateway)) === 2)
    expect((await gateway.call('/add', { json: { x: 1 } })).json).toEqual({ y: 2 })
  })

  /** A node as it is, or in its place another where it has ended. */
  function revived(node: TestNode): TestNode | Promise<TestNode> {
    if (isAlive(node.server.pid)) return node
    return startNode(project, [...flags, '--node-address', node.address])
  }

  it('says that a node cannot have what a function needs', async () => {
    const small = [...flags, '--max-store-bytes', '1']
    await using node = await startNode(project, small)
    await using server = await startNodeGateway(project, [node.address], [...flags])
    expect((await server.call('/wait?ms=1')).status).toBe(200)
    const reply = await server.call('/add', { json: { x: 1 } })
    expect(reply).toMatchObject({ status: 502, json: { code: 'FETCH_FAILED' } })
    expect(server.log()).toContain('maxStoreBytes')
  })

  it('refuses what kills its replicas, wherever it is tried, and nothing else', async () => {
    const load = startMixedLoad(gateway, 4)
    const reply = await gateway.call('/hostile', { json: { act: 'kill' } })
    expect(reply).toMatchObject({ status: 503, json: { code: 'REPLICA_CRASHED' } })
    await load.stop()
    expect(load.failures).toEqual([])
  })
})

describe('a gateway and a node that know each other by certificates', () => {
  const files = ['--node-certificate-file', 'own.pem', '--node-certificate-key-file', 'own.key']
  const flags = [...files, '--node-authority-file', 'authority.pem']

  it('answer over encrypted connections, those of runners too', async () => {
    await using own = await makeCrashProject({
      'own.pem': nodeCertificate.cert,
      'own.key': nodeCertificate.key,
      'authority.pem': nodeAuthority,
    })
    await using node = await startNode(own, flags)
    await using server = await startNodeGateway(own, [node.address], flags)
    const load = startMixedLoad(server, 4)
    await until(() => load.answered > 40 || load.failures.length > 0)
    for (const pid of await node.replicas()) process.kill(pid, 'SIGKILL')
    const before = load.answered
    await until(() => load.answered > before + 40 || load.failures.length > 0)
    await load.stop()
    expect(load.failures).toEqual([])
  })
})

describe('models of a gateway over two nodes', () => {
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
