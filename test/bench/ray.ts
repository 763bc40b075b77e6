import { createProjectKey } from '../../runtime/auth/project-key.ts'
import { createModelToken } from '../../runtime/auth/token.ts'
import { makeProject, startServer } from '../support/server.ts'
import { bodyOf, readFunction, readModel } from './bench-files.ts'
import type { BenchmarkOptions } from './benchmarks.ts'
import { compare, type Figure, median } from './figure.ts'
import { countLoad } from './load.ts'
import { type RaySettings, startRay } from './ray-cluster.ts'

const fast = { RAY_SERVE_THROUGHPUT_OPTIMIZED: '1' }
const haproxy = {
  RAY_SERVE_ENABLE_HA_PROXY: '1',
  // Ray asks for more descriptors than a session usually has.
  RAY_SERVE_HAPROXY_MAXCONN: '2000',
}

/** How Ray is started; with HAProxy in the place of its own proxy to know that too. */
const settings = {
  'default settings': {},
  'throughput-optimised': fast,
  'throughput-optimised behind HAProxy': { ...fast, ...haproxy },
} as const satisfies Readonly<Record<string, RaySettings['environment']>>

type SettingName = keyof typeof settings

/** What is asked of both sides. */
const cases = [
  {
    name: 'ray-noop',
    path: '/noop',
    body: JSON.stringify({ message: 'hello' }),
    connections: 32,
    goal: '>= 200',
  },
  { name: 'ray-vad', path: '/vad', body: bodyOf('vad'), connections: 64, goal: '>= 60' },
] as const

/** What came of a round. */
interface Rate {
  /** Without those that failed. */
  readonly answeredPerSecond: number
  readonly generatorCores: number
}

/** By case, its rounds. */
type Rates = Readonly<Record<(typeof cases)[number]['name'], readonly Rate[]>>

/** One side, where it answers. */
interface Side {
  readonly url: string
  readonly token: string
}

/** A no-op and Silero VAD, as here and as with Ray Serve, FastAPI and onnxruntime for Python. */
export async function* measureRay({ quick }: BenchmarkOptions): AsyncGenerator<Figure, void, undefined> {
  await using project = await makeProject({
    'functions/noop.ts': await readFunction('noop'),
    'functions/vad.ts': await readFunction('vad'),
    'functions/_models/vad/model.onnx': await readModel('vad'),
  })
  await using server = await startServer(project, 'serve', ['--replicas', '2'])
  const here = { url: server.url, token: await server.token('vad') }
  const secret = crypto.randomUUID()
  const key = await createProjectKey(new TextEncoder().encode(secret))
  const token = await createModelToken(key, { model: 'vad', expiresInSeconds: 3_600 })
  const ours: Rates[] = [await measureRates(here, quick)]
  const theirs: [SettingName, Rates][] = []
  for (const [name, environment] of Object.entries(settings) as [SettingName, RaySettings['environment']][]) {
    process.stderr.write(`ray: ${name}\n`)
    {
      await using ray = await startRay({ environment, secret, gates: 1, replicas: 2 })
      const there = { url: ray.url, token }
      await holdTogether(here, there)
      theirs.push([name, await measureRates(there, quick)])
    }
    ours.push(await measureRates(here, quick))
  }
  for (const each of cases) {
    const ratesOf = (rates: Rates): readonly number[] =>
      rates[each.name].map(({ answeredPerSecond }) => answeredPerSecond)
    const values = ours.flatMap(ratesOf)
    const peers = theirs.map(([name, rates]) => ({ name, values: ratesOf(rates) }))
    const generatorCores = ours.flatMap((rates) => rates[each.name].map((rate) => rate.generatorCores))
    yield* compareWithRay(each, { values, peers, generatorCores })
  }
}

interface Sides {
  readonly values: readonly number[]
  readonly peers: readonly { readonly name: SettingName; readonly values: readonly number[] }[]
  readonly generatorCores: readonly number[]
}

/** Against the better of Ray's own settings, and to know it, against HAProxy with Ray. */
function* compareWithRay(
  { name, goal, connections }: (typeof cases)[number],
  { values, peers, generatorCores }: Sides,
): Generator<Figure, void, undefined> {
  const ofRay = peers.filter((peer) => !('RAY_SERVE_ENABLE_HA_PROXY' in settings[peer.name]))
  const best = ofRay.toSorted((first, second) => median(second.values) - median(first.values)).slice(0, 1)
  const withHaproxy = peers.filter((peer) => !ofRay.includes(peer))
  const notes = { generator: 'wrk', generatorCores, connections, rates: peers }
  const figures = [
    ...best.map((peer) => ({ name, goal, peer })),
    ...withHaproxy.map((peer) => ({ name: `${name}-haproxy`, goal: 'none', peer })),
  ]
  for (const { peer, ...about } of figures) {
    const title = `Ray Serve, ${peer.name}`
    yield compare({ ...about, unit: 'requests/s', peer: title, values, peerValues: peer.values, notes })
  }
}

/** Some rounds of each case, after one as warm-up. */
async function measureRates({ url, token }: Side, quick: boolean): Promise<Rates> {
  const rates: Record<keyof Rates, Rate[]> = { 'ray-noop': [], 'ray-vad': [] }
  const rounds = quick ? 1 : 2
  for (let round = 0; round <= rounds; round += 1) {
    for (const { name, path, body, connections } of cases) {
      const seconds = quick ? 1 : round === 0 ? 2 : 4
      const { requestsPerSecond, failures, generatorCores } = await countLoad({
        url: `${url}${path}`,
        connections,
        seconds,
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body,
      })
      if (round === 0) continue
      rates[name].push({ answeredPerSecond: requestsPerSecond - failures / seconds, generatorCores })
    }
  }
  return rates
}

/** Sees that both sides answer the same. */
async function holdTogether(here: Side, there: Side): Promise<void> {
  for (const { path, body } of cases) {
    const [ours, theirs] = await Promise.all([here, there].map((side) => ask(side, path, body)))
    const same = Bun.deepEquals(rounded(ours), rounded(theirs))
    if (!same)
      throw new Error(`${path} gives ${JSON.stringify(ours)} here, with Ray ${JSON.stringify(theirs)}.`)
  }
}

async function ask({ url, token }: Side, path: string, body: string): Promise<unknown> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
  return await (await fetch(`${url}${path}`, { method: 'POST', headers, body })).json()
}

/** The same with four decimals: what two builds of onnxruntime agree on. */
function rounded(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_, each) => (typeof each === 'number' ? each.toFixed(4) : each))
}
