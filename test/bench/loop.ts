import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { addConstantModel } from '../support/onnx-models.ts'
import type { TestServer } from '../support/server.ts'
import type { BenchmarkOptions } from './benchmarks.ts'
import { compare, type Figure, median } from './figure.ts'
import { replicaCount, startFunctionServer } from './function-server.ts'
import { forgetLags, type Lags, lagEnvironment, readLags } from './lag.ts'
import { type Load, sendLoad } from './load.ts'
import { modelCases, sampleOf } from './model-case.ts'

/** One window of load. */
interface Window {
  readonly lags: Lags
  /** What each load of a model took in it, in milliseconds. */
  readonly loadsMs: readonly number[]
  readonly requestsPerSecond: number
  readonly generatorCores: number
}

const weightBytes = 100_000_000
const limitMs = 10

/**
 * How late the gateway's event loop is while all replicas are busy, 16 connections are in use, and models of 100 MB
 * are loaded in turns. A timer in the gateway's own process tells, each 10 ms.
 */
export async function* measureLoop({ quick }: BenchmarkOptions): AsyncGenerator<Figure, void, undefined> {
  const { rounds, seconds } = quick ? { rounds: 1, seconds: 3 } : { rounds: 3, seconds: 10 }
  await using stack = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'isoplex-lag-'))
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  const socket = join(folder, 'lag.sock')
  // A replica keeps one of them: with one more than there are replicas, the next one is never there.
  const heavy = Array.from({ length: replicaCount + 1 }, (_, index) => `weights-${index}`)
  const heavyModels = heavy.map((id, index) => [id, addConstantModel(index, weightBytes)])
  const server = stack.use(
    await startFunctionServer({
      functions: ['noop', 'vad', 'detection-tensor', 'weights'],
      models: {
        vad: modelCases.vad.path,
        detection: modelCases.detection.path,
        ...Object.fromEntries(heavyModels),
      },
      environment: lagEnvironment(socket),
    }),
  )
  const turns = inTurns(heavy)
  const windows: Window[] = []
  for (let round = 0; round <= rounds; round += 1) {
    process.stderr.write(`loop: ${round === 0 ? 'warm-up' : `round ${round} of ${rounds}`}\n`)
    const window = await measureWindow({ server, socket, turns, seconds })
    if (round > 0) windows.push(window)
  }
  const middle = (read: (window: Window) => number): number => median(windows.map(read))
  yield compare({
    name: 'loop-lag-p99',
    unit: 'ms',
    peer: 'limit',
    goal: '<= 1',
    values: windows.map(({ lags }) => lags.p99),
    peerValues: [limitMs],
    notes: {
      p50: middle(({ lags }) => lags.p50),
      max: Math.max(...windows.map(({ lags }) => lags.max)),
      samples: middle(({ lags }) => lags.samples),
      loads: middle(({ loadsMs }) => loadsMs.length),
      loadMs: median(windows.flatMap(({ loadsMs }) => loadsMs)),
      requestsPerSecond: middle(({ requestsPerSecond }) => requestsPerSecond),
      generator: 'wrk',
      generatorCores: middle(({ generatorCores }) => generatorCores),
    },
  })
}

interface WindowOptions {
  readonly server: TestServer
  readonly socket: string
  /** The models that are loaded in turns. */
  readonly turns: Iterator<string, never>
  readonly seconds: number
}

async function measureWindow({ server, socket, turns, seconds }: WindowOptions): Promise<Window> {
  const over = new AbortController()
  const json = { 'content-type': 'application/json' }
  const octets = { 'content-type': 'application/octet-stream' }
  const picture = new Uint8Array(Float32Array.from(sampleOf(modelCases.detection)).buffer)
  const load = (path: string, connections: number, given: Pick<Load, 'headers' | 'body'>) =>
    sendLoad({ url: `${server.url}${path}`, connections, seconds, ...given })
  const loads = loadModels(server, turns, over.signal)
  await forgetLags(socket)
  const outcomes = await Promise.all([
    // What keeps the replicas busy: milliseconds of computing for each request.
    load('/detection-tensor', 2 * replicaCount, { headers: octets, body: picture }),
    load('/noop', 8, { headers: json, body: JSON.stringify({ message: 'hello' }) }),
    load('/vad', 8, { headers: json, body: JSON.stringify({ audio: sampleOf(modelCases.vad) }) }),
  ])
  const lags = await readLags(socket)
  over.abort()
  return {
    lags,
    loadsMs: await loads,
    requestsPerSecond: outcomes.reduce((sum, { requestsPerSecond }) => sum + requestsPerSecond, 0),
    generatorCores: outcomes.reduce((sum, { generatorCores }) => sum + generatorCores, 0),
  }
}

function* inTurns<Item>(items: readonly Item[]): Generator<Item, never> {
  for (;;) yield* items
}

/** Asks for one model after the other until it is over; gives the milliseconds that each took to be there. */
async function loadModels(
  server: TestServer,
  turns: Iterator<string, never>,
  over: AbortSignal,
): Promise<number[]> {
  const loadsMs: number[] = []
  while (!over.aborted) {
    const model = turns.next().value
    const token = await server.token(model)
    const startedMs = performance.now()
    const { status, text } = await server.call('/weights', { json: { x: 1 }, token })
    if (status !== 200) throw new Error(`${model} was answered with ${status}: ${text}`)
    loadsMs.push(performance.now() - startedMs)
  }
  return loadsMs
}
