import { makeProject, startServer } from '../support/server.ts'
import { readFunction, readModel, voiceBody } from './bench-files.ts'
import type { BenchmarkOptions } from './benchmarks.ts'
import { compare, type Figure, median, takeTurns } from './figure.ts'
import { type ClassOutcome, flawlessOutcomeOf, outcomeOf, sendTraffic, type TrafficClass } from './traffic.ts'

const replicas = 2
/** What `voice` takes at a time. */
const batchSize = 32
/** Four windows: long enough that the replicas are what is short, and neither the gateway nor the generator. */
const samples = 4 * 512
/** How much the two principals ask for together, by what can be done. */
const demand = 1.5
const loudByQuiet = 100

/** What a principal feels of one that asks a hundred times as much as it does, and more than there is. */
export async function* measureFair({ quick }: BenchmarkOptions): AsyncGenerator<Figure, void, undefined> {
  await using project = await makeProject({
    'functions/voice.ts': await readFunction('voice'),
    'functions/_models/vad/model.onnx': await readModel('vad'),
  })
  for (const tenant of ['quiet', 'loud']) await project.run('tenants', 'add', tenant)
  await using server = await startServer(project, 'serve', ['--replicas', String(replicas)])
  const body = voiceBody(samples)
  const requestsOf = async (tenant: string) => [
    { path: '/voice', headers: { serve_multiplexed_model_id: await server.token('vad', tenant) }, body },
  ]
  const [quietRequests, loudRequests] = [await requestsOf('quiet'), await requestsOf('loud')]
  const send = (seconds: number, ...classes: readonly TrafficClass[]) =>
    sendTraffic({ url: server.url, warmUpSeconds: 1, seconds: quick ? 2 : seconds, classes })
  const flood = { name: 'loud', requests: loudRequests, perSecond: null, connections: 8 * batchSize }
  const saturatedPerSecond = flawlessOutcomeOf(await send(6, flood), 'loud').okPerSecond
  const fullBatchMs = ((batchSize * replicas) / saturatedPerSecond) * 1_000
  const quietPerSecond = (demand * saturatedPerSecond) / (loudByQuiet + 1)
  const quiet = { name: 'quiet', requests: quietRequests, perSecond: quietPerSecond, connections: 256 }
  const loud = { ...flood, perSecond: loudByQuiet * quietPerSecond, connections: 4_000 }
  const rounds = await takeTurns({
    name: 'fair',
    rounds: quick ? 1 : 3,
    sides: { alone: () => send(15, quiet), beside: () => send(15, quiet, loud) },
  })
  const alone = rounds.alone.map((outcome) => flawlessOutcomeOf(outcome, 'quiet'))
  const beside = rounds.beside.map((outcome) => outcomeOf(outcome, 'quiet'))
  const notes = {
    generator: 'test/bench/open-loop.ts',
    generatorCores: rounds.beside.map(({ generatorCores }) => generatorCores),
    saturatedPerSecond,
    fullBatchMs,
    quietPerSecond,
    loudPerSecond: loud.perSecond,
    aloneP99Ms: median(alone.map(({ p99Ms }) => p99Ms)),
    loud: rounds.beside.map((outcome) => outcomeOf(outcome, 'loud')),
  }
  yield compare({
    name: 'fair-p99',
    unit: 'ms',
    peer: 'its p99 alone and 1.5 full batches',
    goal: '<= 1',
    values: beside.map(({ p99Ms }) => p99Ms),
    peerValues: alone.map(({ p99Ms }) => p99Ms + 1.5 * fullBatchMs),
    notes,
  })
  yield compare({
    name: 'fair-throughput',
    unit: 'requests/s',
    peer: 'what it asked for',
    goal: '>= 0.95',
    values: beside.map(({ okPerSecond }) => okPerSecond),
    peerValues: beside.map((outcome) => askedPerSecond(outcome)),
    notes: { failed: beside.map(({ failed }) => failed) },
  })
}

/** What a class asked for, sent or not, over the same time as what it got. */
function askedPerSecond({ sent, unsent, ok, okPerSecond }: ClassOutcome): number {
  return ok === 0 ? Number.POSITIVE_INFINITY : ((sent + unsent) / ok) * okPerSecond
}
