import { bodyOf } from './bench-files.ts'
import type { BenchmarkOptions } from './benchmarks.ts'
import { compare, type Figure, median, takeTurns } from './figure.ts'
import { type LoadOutcome, sendLoad } from './load.ts'
import { type ModelMessage, messageOf } from './model-message.ts'
import { heldModels, type RayScaleScene, type RaySide, startRayScaleScene } from './ray-scale-scene.ts'

/** What is asked of all sides. */
interface ScaleCase {
  readonly name: string
  readonly path: string
  /** What the token is for. */
  readonly model: string
  readonly message: ModelMessage
  readonly connections: number
  readonly proxyGoal: string
  readonly gatewayGoal: string
}

const json = { 'content-type': 'application/json' }

const cases: readonly ScaleCase[] = [
  {
    name: 'noop',
    path: '/noop',
    model: 'vad',
    message: { headers: json, body: JSON.stringify({ message: 'hello' }) },
    connections: 32,
    proxyGoal: '>= 0.85',
    gatewayGoal: '>= 50',
  },
  {
    name: 'vad',
    path: '/vad',
    model: 'vad',
    message: { headers: json, body: bodyOf('vad') },
    connections: 64,
    proxyGoal: '>= 1',
    gatewayGoal: '>= 20',
  },
  {
    name: 'detection',
    path: '/detection-tensor',
    model: 'detection',
    message: messageOf('detection', 'binary'),
    connections: 8,
    proxyGoal: '>= 1',
    gatewayGoal: '>= 2',
  },
]

/** isoplex on a Ray cluster of two nodes, by Ray's proxy and by a gateway of its own, beside plain Ray Serve there. */
export async function* measureRayScale({ quick }: BenchmarkOptions): AsyncGenerator<Figure, void, undefined> {
  await using scene = await startRayScaleScene()
  // First, while the replicas have room for all models at once.
  for (const way of ['proxy', 'gateway'] as const) {
    for (const clients of [1, 8, 32]) yield await measureAffinity(scene[way], { way, clients, quick })
  }
  for (const each of cases) yield* measureCase(scene, each, quick)
}

/** A load, and what it took of all processors. */
type Outcome = LoadOutcome & { readonly microsecondsPerRequest: number }

async function* measureCase(
  scene: RayScaleScene,
  { name, path, model, message, connections, proxyGoal, gatewayGoal }: ScaleCase,
  quick: boolean,
): AsyncGenerator<Figure, void, undefined> {
  const seconds = quick ? 2 : 5
  const load = async ({ url, token }: RaySide): Promise<() => Promise<Outcome>> => {
    const headers = { ...message.headers, authorization: `Bearer ${await token(model)}` }
    return async () => {
      const before = await scene.microseconds()
      const outcome = await sendLoad({ url: url + path, connections, seconds, headers, body: message.body })
      const took = (await scene.microseconds()) - before
      return { ...outcome, microsecondsPerRequest: took / (outcome.requestsPerSecond * seconds) }
    }
  }
  await holdTogether(scene, path, model, message)
  const { proxy, plain, gateway } = await takeTurns({
    name: `ray-scale-${name}`,
    rounds: quick ? 1 : 3,
    sides: {
      proxy: await load(scene.proxy),
      plain: await load(scene.plain),
      gateway: await load(scene.gateway),
    },
  })
  yield figureOf(`ray-scale-proxy-${name}`, proxyGoal, connections, proxy, plain)
  yield figureOf(`ray-scale-gateway-${name}`, gatewayGoal, connections, gateway, plain)
}

function figureOf(
  name: string,
  goal: string,
  connections: number,
  ours: readonly Outcome[],
  theirs: readonly Outcome[],
): Figure {
  const costOf = (outcomes: readonly Outcome[]): number =>
    median(outcomes.map(({ microsecondsPerRequest }) => microsecondsPerRequest))
  const p99Of = (outcomes: readonly Outcome[]): number => median(outcomes.map(({ p99Ms }) => p99Ms))
  const ratesOf = (outcomes: readonly Outcome[]): readonly number[] =>
    outcomes.map(({ requestsPerSecond }) => requestsPerSecond)
  return compare({
    name,
    unit: 'requests/s',
    peer: 'Ray Serve, FastAPI, onnxruntime',
    goal,
    values: ratesOf(ours),
    peerValues: ratesOf(theirs),
    notes: {
      generator: 'wrk',
      connections,
      generatorCores: ours.map(({ generatorCores }) => generatorCores),
      // On a busy machine these say more than rates do.
      microsecondsPerRequest: [costOf(ours), costOf(theirs)],
      p99Ms: [p99Of(ours), p99Of(theirs)],
    },
  })
}

/** The share of requests that find their model loaded where they come to, each with a token never seen before. */
async function measureAffinity(
  side: RaySide,
  { way, clients, quick }: { readonly way: string; readonly clients: number; readonly quick: boolean },
): Promise<Figure> {
  const asks = quick ? 200 : 1_000
  const ask = async (model: string): Promise<number> => {
    const headers = { ...json, authorization: `Bearer ${await side.token(model)}` }
    const reply = await fetch(`${side.url}/held`, { method: 'POST', headers, body: '{}' })
    if (reply.status !== 200)
      throw new Error(`/held was answered with ${reply.status}: ${await reply.text()}`)
    return ((await reply.json()) as { readonly uses: number }).uses
  }
  for (const model of heldModels) await ask(model)
  let [sent, hits] = [0, 0]
  const client = async (): Promise<void> => {
    while (sent < asks) {
      sent += 1
      if ((await ask(heldModels[sent % heldModels.length] ?? '')) > 1) hits += 1
    }
  }
  process.stderr.write(`ray-scale: affinity by the ${way} at ${clients}\n`)
  await Promise.all(Array.from({ length: clients }, client))
  return compare({
    name: `ray-scale-affinity-${way}-${clients}`,
    unit: 'of requests',
    peer: 'all requests',
    goal: '>= 0.95',
    values: [hits / sent],
    peerValues: [1],
    notes: { clients, requests: sent, models: heldModels.length },
  })
}

/** Sees that all sides answer the same. */
async function holdTogether(
  { proxy, gateway, plain }: RayScaleScene,
  path: string,
  model: string,
  { headers, body }: ModelMessage,
): Promise<void> {
  const ask = async ({ url, token }: RaySide): Promise<Uint8Array<ArrayBuffer>> => {
    const authorization = `Bearer ${await token(model)}`
    const reply = await fetch(url + path, { method: 'POST', headers: { ...headers, authorization }, body })
    if (reply.status !== 200) throw new Error(`${url}${path} gives ${reply.status}: ${await reply.text()}`)
    return await reply.bytes()
  }
  const isText = headers['content-type'] === json['content-type']
  const read = isText ? textValues : floatValues
  const [expected, ...others] = await Promise.all(
    [plain, proxy, gateway].map(async (side) => read(await ask(side))),
  )
  for (const values of others)
    if (!isClose(values, expected ?? []))
      throw new Error(`${path} gives ${values}, plain Ray Serve ${expected}.`)
}

/** Strings and numbers of a JSON answer. */
function textValues(bytes: Uint8Array): readonly unknown[] {
  return Object.values(JSON.parse(new TextDecoder().decode(bytes)))
}

function floatValues({ buffer }: Uint8Array<ArrayBuffer>): readonly unknown[] {
  return Array.from(new Float32Array(buffer))
}

/** Whether two builds of onnxruntime agree. */
function isClose(values: readonly unknown[], expected: readonly unknown[]): boolean {
  const same = (value: unknown, other: unknown): boolean =>
    typeof value === 'number' && typeof other === 'number' ? Math.abs(value - other) < 1e-3 : value === other
  return values.length === expected.length && values.every((value, index) => same(value, expected[index]))
}
