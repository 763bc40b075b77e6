import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newNodeKey } from '../support/nodes.ts'
import { absenceOfRay } from '../support/ray-cluster.ts'
import { longestGapMs, startMixedRayLoad, startRayLoad, wronged } from '../support/ray-load.ts'
import { requireOrSkip } from '../support/requirement.ts'
import { type Reply, startServer, type TestServer, until } from '../support/server.ts'
import { models, type RayScene, rayFunctions, startRayScene } from './ray-project.ts'

const minute = 60_000
const nodeFlags = ['--node-address', '127.0.0.1:0', '--node-key-file', 'node.key']

let scene: RayScene
let gateway: TestServer
/** The version that serves. */
let version: unknown

/** How many nodes are there, and how many replicas on them serve. */
async function nodesOf(): Promise<readonly [number, number]> {
  const { json } = await gateway.call('/readyz')
  return [(await addresses()).length, json.replicas.ready.length]
}

/** Where the nodes are that are up. */
async function addresses(): Promise<readonly string[]> {
  const { json } = await gateway.call('/readyz')
  return json.nodes
    .filter(({ state }: { state: string }) => state === 'up')
    .map(({ node }: { node: string }) => node)
}

/** Calls a function through the gateway, with a fresh token where it is for a model. */
async function ask(name: string, json: unknown, model?: string): Promise<Reply> {
  const token = model === undefined ? {} : { token: await scene.token(model) }
  return gateway.call(`/iso/${name}`, { json, ...token })
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
      version = (await scene.deploy('--replicas', '2', ...nodeFlags)).version
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
        expect((await scene.ask('version', {})).json).toEqual(reply.json)
      },
      minute,
    )

    it.each([1, 8, 32])(
      'keeps models where they are, with a fresh token each time, at %i clients',
      async (clients) => {
        for (const model of models) expect((await ask('which', { x: 0 }, model)).json.id).toBe(model)
        const before = await loads()
        let sent = 0
        const load = startRayLoad(clients, () => {
          sent += 1
          return ask('which', { x: sent }, models[sent % models.length])
        })
        await load.more(400)
        const outcomes = await load.stop()
        expect(outcomes.filter(({ status }) => status !== 200)).toEqual([])
        expect(1 - ((await loads()) - before) / outcomes.length).toBeGreaterThanOrEqual(0.95)
      },
      2 * minute,
    )

    it(
      'loses no request when a version is replaced, and serves the new one',
      async () => {
        for (const [file, text] of Object.entries(rayFunctions('2'))) await scene.project.write(file, text)
        const seen = new Set<unknown>()
        const load = startRayLoad(4, async () => {
          const reply = await ask('version', {})
          seen.add(reply.json?.version)
          return reply
        })
        version = (await scene.deploy('--replicas', '2', ...nodeFlags)).version
        await until(() => seen.has('2'))
        await until(async () => (await nodesOf()).join() === '2,2')
        expect((await load.stop()).filter(({ status }) => status !== 200)).toEqual([])
      },
      4 * minute,
    )

    it(
      'loses nothing when gates die, since nothing goes through them',
      async () => {
        await using load = await startMixedRayLoad(ask)
        for (const { pid } of await scene.workers('Gate')) process.kill(pid, 'SIGKILL')
        await load.more(10)
        await load.stop()
        const outcomes = Object.values(load.outcomes).flat()
        expect(outcomes.filter(({ status }) => status !== 200)).toEqual([])
      },
      4 * minute,
    )

    it.each([
      ['an isoplex', killIsoplex],
      ['a whole machine', () => scene.cluster.killSecondNode()],
    ])(
      'loses nothing that can be run again when %s dies, and has another soon',
      async (_, kill) => {
        const before = await addresses()
        await using load = await startMixedRayLoad(ask)
        const atMs = performance.now()
        await kill()
        await load.more(10)
        await until(async () => (await addresses()).some((address) => !before.includes(address)))
        await until(async () => (await nodesOf()).join() === '2,2')
        await load.more(5)
        await load.stop()
        const gapMs = longestGapMs(Object.values(load.outcomes).flat(), atMs)
        process.stderr.write(`${expect.getState().currentTestName}: no answer for ${Math.round(gapMs)} ms\n`)
        expect(wronged(load.outcomes)).toEqual([])
      },
      4 * minute,
    )
  },
)

/** Ends an isoplex of the version that serves; that of the version before, which is kept, serves nobody. */
async function killIsoplex(): Promise<void> {
  const replicas = await scene.isoplex('replica')
  const victim = replicas.find(({ command }) => command.includes(`/${version} `))
  if (!victim) throw new Error('No isoplex serves.')
  process.kill(victim.pid, 'SIGKILL')
}
