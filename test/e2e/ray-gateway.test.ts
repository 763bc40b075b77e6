import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newNodeKey } from '../support/nodes.ts'
import { absenceOfRay } from '../support/ray-cluster.ts'
import { requireOrSkip } from '../support/requirement.ts'
import { startServer, type TestServer, until } from '../support/server.ts'
import { startLoad } from './crash-project.ts'
import { models, type RayScene, rayFunctions, startRayScene } from './ray-project.ts'

const minute = 60_000
const nodeFlags = ['--node-address', '127.0.0.1:0', '--node-key-file', 'node.key']

let scene: RayScene
let gateway: TestServer

/** How many nodes are there, and how many replicas on them serve. */
async function nodesOf(): Promise<readonly [number, number]> {
  const { json } = await gateway.call('/readyz')
  const up = json.nodes.filter(({ state }: { state: string }) => state === 'up')
  return [up.length, json.replicas.ready.length]
}

async function loads(): Promise<number> {
  const { text } = await gateway.call('/metrics')
  return text
    .split('\n')
    .filter((line) => line.startsWith('isoplex_model_load_total{'))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

describe.runIf(requireOrSkip('ray', await absenceOfRay()))(
  'a gateway over replicas that Ray has placed',
  () => {
    beforeAll(async () => {
      scene = await startRayScene()
      await scene.project.write('node.key', newNodeKey())
      await scene.deploy('--replicas', '2', ...nodeFlags)
      gateway = await startServer(scene.project, 'gateway', [
        ...['--ray', scene.cluster.dashboardUrl, '--node-key-file', 'node.key'],
        ...['--route-prefix', '/iso', '--state-directory', '.isoplex', '--metrics-access', 'public'],
      ])
      await until(async () => (await nodesOf()).join() === '2,2')
    }, 5 * minute)
    afterAll(async () => {
      await gateway?.[Symbol.asyncDispose]()
      await scene?.[Symbol.asyncDispose]()
    }, minute)

    it(
      'answers as they do behind the gate',
      async () => {
        const reply = await gateway.call('/iso/version', { method: 'POST' })
        expect(reply).toMatchObject({ status: 200, json: { version: '1' } })
        expect((await scene.ask('version', undefined)).json).toEqual(reply.json)
      },
      minute,
    )

    it.each([1, 8, 32])(
      'keeps models where they are, with a fresh token each time, at %i clients',
      async (clients) => {
        const ask = async (count: number) => {
          const model = models[count % models.length] ?? 'one'
          return gateway.call('/iso/which', { json: { x: count }, token: await scene.token(model) })
        }
        for (let count = 0; count < 8; count += 1) await ask(count)
        const before = await loads()
        const load = startLoad(clients, ask)
        await until(() => load.answered >= 400 || load.failures.length > 0)
        await load.stop()
        expect(load.failures).toEqual([])
        expect(1 - ((await loads()) - before) / load.answered).toBeGreaterThanOrEqual(0.95)
      },
      2 * minute,
    )

    it(
      'loses no request when a version is replaced, and serves the new one',
      async () => {
        for (const [file, text] of Object.entries(rayFunctions('2'))) await scene.project.write(file, text)
        const seen = new Set<string>()
        const load = startLoad(4, async () => {
          const reply = await gateway.call('/iso/version', { method: 'POST' })
          seen.add(reply.json?.version)
          return reply
        })
        await scene.deploy('--replicas', '2', ...nodeFlags)
        await until(() => seen.has('2') || load.failures.length > 0)
        await until(async () => (await nodesOf())[0] === 2)
        await load.stop()
        expect(load.failures).toEqual([])
      },
      4 * minute,
    )

    it(
      'loses no request when an isoplex, and when a whole machine dies',
      async () => {
        const load = startLoad(4, () => gateway.call('/iso/version', { method: 'POST' }))
        const [one] = await scene.isoplex('replica')
        if (one) process.kill(one.pid, 'SIGKILL')
        await until(async () => (await nodesOf())[0] < 2)
        await until(async () => (await nodesOf())[0] === 2)
        await scene.cluster.killSecondNode()
        const before = load.answered
        await until(() => load.answered > before + 200 || load.failures.length > 0)
        await load.stop()
        expect(load.failures).toEqual([])
      },
      4 * minute,
    )
  },
)
