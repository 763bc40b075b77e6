import { pseudoRandom } from '../support/arithmetic.ts'
import { makeProject, startServer, type TestProject, type TestServer } from '../support/server.ts'
import { bodyOf, lineBody, readFunction, readModel, relabel } from './bench-files.ts'
import type { BenchmarkOptions } from './benchmarks.ts'
import { compare, type Figure, takeTurns } from './figure.ts'
import { readResidency } from './residency.ts'
import { flawlessOutcomeOf, sendTraffic, type TrafficOutcome, type TrafficRequest } from './traffic.ts'
import { countMisses, zipfAccesses } from './zipf.ts'

/** What is loaded: so many copies of each model, each an artifact of its own, run by the function of its name. */
const kinds = [
  { name: 'digits', copies: 40, body: bodyOf('digits') },
  { name: 'vad', copies: 8, body: bodyOf('vad') },
  { name: 'line', copies: 2, body: lineBody() },
] as const

const places = 8
/** Whoever asks for models one after another: some loads go on side by side, and there is no queue to speak of. */
const clients = 4
/** One replica with 8 runners, any of which may be of any function; and it stays for the whole time. */
const flags = [
  ...['--replicas', '1'],
  ...['--max-runners-per-replica', String(places)],
  ...['--max-models-per-replica', String(places)],
  ...['--max-replica-loads', '1000000'],
]

/** What 50 models cost that share the room of 8. */
export async function* measureChurn({ quick }: BenchmarkOptions): AsyncGenerator<Figure, void, undefined> {
  await using project = await makeChurnProject()
  await using server = await startServer(project, 'serve', flags)
  yield await measureLoads(project, server, await requestsOf(server), quick ? 5 : 60)
  yield await measureHits(project, server, await requestsOf(server), quick)
}

async function makeChurnProject(): Promise<TestProject> {
  const files: Record<string, string | Uint8Array> = {}
  for (const { name, copies } of kinds) {
    files[`functions/${name}.ts`] = await readFunction(name)
    const bytes = await readModel(name)
    for (let copy = 0; copy < copies; copy += 1) {
      const id = `${name}-${copy}`
      files[`functions/_models/${id}/model.onnx`] = relabel(bytes, id)
    }
  }
  return await makeProject(files)
}

/** A request for each model: those of one kind stand together. */
async function requestsOf(server: TestServer): Promise<readonly TrafficRequest[]> {
  const requests = kinds.flatMap(({ name, copies, body }) =>
    Array.from({ length: copies }, async (_, copy) => {
      const token = await server.token(`${name}-${copy}`)
      return { path: `/${name}`, headers: { serve_multiplexed_model_id: token }, body }
    }),
  )
  return await Promise.all(requests)
}

/** The loads of accesses by Zipf's law, against those of a cache that knows no time. */
async function measureLoads(
  { directory }: TestProject,
  { url }: TestServer,
  requests: readonly TrafficRequest[],
  seconds: number,
): Promise<Figure> {
  const random = pseudoRandom(50)
  // Which model is how popular has nothing to do with its kind.
  const popular = requests
    .map((request) => ({ request, key: random() }))
    .toSorted((first, second) => first.key - second.key)
    .map(({ request }) => request)
  // More than will be sent: how many are, the generator says.
  const order = zipfAccesses(popular.length, 1_000 * seconds, random)
  const before = await countLoads(directory)
  const traffic = await sendTraffic({
    url,
    warmUpSeconds: 0,
    seconds,
    classes: [{ name: 'zipf', requests: popular, order, perSecond: null, connections: clients }],
  })
  const loads = (await countLoads(directory)) - before
  const { sent, p50Ms, p99Ms } = flawlessOutcomeOf(traffic, 'zipf')
  const accesses = order.slice(0, sent)
  return compare({
    name: 'churn-loads',
    unit: 'loads',
    peer: 'an offline LRU cache',
    goal: '<= 1.05',
    values: [loads],
    peerValues: [countMisses(accesses, places)],
    notes: {
      generator: 'test/bench/open-loop.ts',
      generatorCores: traffic.generatorCores,
      accesses: accesses.length,
      clients,
      p50Ms,
      p99Ms,
    },
  })
}

/** Requests for a few models that stay, alone and while others come and go beside them. */
async function measureHits(
  { directory }: TestProject,
  { url }: TestServer,
  requests: readonly TrafficRequest[],
  quick: boolean,
): Promise<Figure> {
  const [firstVad, hotDigits] = [kinds[0].copies, 5]
  const isHot = (place: number): boolean => place < hotDigits || place === firstVad
  const hot = {
    name: 'hot',
    requests: requests.filter((_, place) => isHot(place)),
    perSecond: 120,
    connections: 256,
  }
  const cold = {
    name: 'cold',
    requests: requests.filter((_, place) => !isHot(place)),
    perSecond: null,
    connections: 1,
  }
  const times = { url, warmUpSeconds: 1, seconds: quick ? 2 : 8 }
  const reloads: number[] = []
  const rounds = await takeTurns({
    name: 'churn-hits',
    rounds: quick ? 1 : 4,
    sides: {
      quiet: () => sendTraffic({ ...times, classes: [hot] }),
      loading: async () => {
        const loads = await countLoads(directory)
        const outcome = await sendTraffic({ ...times, classes: [hot, cold] })
        reloads.push((await countLoads(directory)) - loads)
        return outcome
      },
    },
  })
  const hits = (outcome: TrafficOutcome): number => flawlessOutcomeOf(outcome, 'hot').p99Ms
  return compare({
    name: 'churn-hits',
    unit: 'ms',
    peer: 'p99 of the same hits without misses',
    goal: '<= 2',
    values: rounds.loading.map(hits),
    peerValues: rounds.quiet.map(hits),
    notes: {
      generator: 'test/bench/open-loop.ts',
      generatorCores: rounds.loading.map(({ generatorCores }) => generatorCores),
      hitsPerSecond: hot.perSecond,
      loads: reloads,
      misses: rounds.loading.map((outcome) => flawlessOutcomeOf(outcome, 'cold').sent),
    },
  })
}

async function countLoads(directory: string): Promise<number> {
  const { replicas } = await readResidency(directory)
  return replicas.reduce((sum, { loads }) => sum + loads, 0)
}
