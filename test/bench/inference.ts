import type { BenchmarkOptions } from './benchmarks.ts'
import { compare, type Figure, takeTurns } from './figure.ts'
import { replicaCount, startFunctionServer } from './function-server.ts'
import { type LoadOutcome, sendLoad } from './load.ts'
import { loadFigures } from './load-figures.ts'
import { type ModelCaseName, modelCases } from './model-case.ts'
import { assertSameAnswers, type Form, messageOf } from './model-message.ts'
import { type Peer, startPeer } from './peer.ts'
import { type SessionLoops, startSessionLoops } from './session-loops.ts'

/** One way to ask one model, at several numbers of connections. */
interface Series {
  readonly model: ModelCaseName
  readonly form: Form
  /** The function that answers. */
  readonly path: string
  readonly connections: readonly number[]
  /** By name of the figure, the goals. */
  readonly goals: Readonly<Record<string, string>>
}

const allSeries: readonly Series[] = [
  {
    model: 'vad',
    form: 'json',
    path: '/vad',
    connections: [1, 8, 64],
    goals: {
      'inference-vad-json-1': '>= 0.9',
      'inference-vad-json-64': '>= 3',
      'inference-vad-json-64-p99': '<= 0.5',
    },
  },
  {
    model: 'vad',
    form: 'binary',
    path: '/vad-tensor',
    connections: [1, 8, 64],
    goals: { 'inference-vad-binary-64-loops': '>= 0.5' },
  },
  { model: 'digits', form: 'json', path: '/digits', connections: [1, 8, 64], goals: {} },
  { model: 'digits', form: 'binary', path: '/digits-tensor', connections: [1, 8, 64], goals: {} },
  {
    model: 'detection',
    form: 'binary',
    path: '/detection-tensor',
    connections: [8],
    goals: { 'inference-detection-binary-8-loops': '>= 0.9' },
  },
]
const batches = [1, 2, 4, 8, 16, 32, 64, 128]

/** What takes how long. */
interface Pace {
  readonly rounds: number
  readonly seconds: number
  /** For each size of the loops' batches that is tried beforehand. */
  readonly trialSeconds: number
}

/** Models on small and large loads, beside a server written by hand and beside the model alone. */
export async function* measureInference({
  quick,
}: BenchmarkOptions): AsyncGenerator<Figure, void, undefined> {
  const pace = quick
    ? { rounds: 1, seconds: 2, trialSeconds: 0.2 }
    : { rounds: 3, seconds: 2, trialSeconds: 0.5 }
  await using server = await startFunctionServer({
    functions: allSeries.map(({ path }) => path.slice(1)),
    models: Object.fromEntries(Object.entries(modelCases).map(([name, { path }]) => [name, path])),
  })
  for (const model of Object.keys(modelCases) as ModelCaseName[]) {
    await using loops = await startSessionLoops(model, replicaCount)
    const batch = await bestBatch(loops, pace)
    await using handlers = new AsyncDisposableStack()
    const { handler, threads } = await bestHandler(model, handlers)
    for (const series of allSeries.filter((each) => each.model === model)) {
      yield* measureSeries(series, { server, handler, loops, batch, threads, pace })
    }
  }
}

/** Both sides of a series, as they were found to be best. */
interface Sides {
  readonly server: Pick<Peer, 'url' | 'pid'>
  readonly handler: Pick<Peer, 'url' | 'pid'>
  /** Threads of the handler's session; 0 is as many as onnxruntime thinks good. */
  readonly threads: number
  readonly loops: SessionLoops
  /** Requests in one run of the loops' sessions. */
  readonly batch: number
  readonly pace: Pace
}

async function* measureSeries(
  { model, form, path, connections: counts, goals }: Series,
  { server, handler, threads, loops, batch, pace: { rounds, seconds } }: Sides,
): AsyncGenerator<Figure, void, undefined> {
  const message = messageOf(model, form)
  const chart = `${modelCases[model].title}, ${form === 'json' ? 'JSON' : form}`
  await assertSameAnswers(`${server.url}${path}`, `${handler.url}/${form}`, message)
  for (const connections of counts) {
    const name = `inference-${model}-${form}-${connections}`
    const goal = (figure: string): string => goals[figure] ?? 'none'
    const load = (to: Pick<Peer, 'url' | 'pid'>, at: string) => (): Promise<LoadOutcome> =>
      sendLoad({ url: to.url + at, connections, seconds, ...message, serverPid: to.pid })
    const outcomes = await takeTurns({
      name,
      rounds,
      sides: {
        ours: load(server, path),
        handler: load(handler, `/${form}`),
        loops: () => loops.run({ batch, seconds: seconds / 2 }),
      },
    })
    yield* loadFigures({
      name,
      peer: 'Elysia handler awaiting session.run',
      chart,
      connections,
      ours: outcomes.ours,
      theirs: outcomes.handler,
      goal: goal(name),
      p99Goal: goal(`${name}-p99`),
      notes: { bodyBytes: message.body.length, peerThreads: threads },
    })
    yield compare({
      name: `${name}-loops`,
      unit: 'requests/s',
      peer: 'bare session.run loops',
      goal: goal(`${name}-loops`),
      values: outcomes.ours.map(({ requestsPerSecond }) => requestsPerSecond),
      peerValues: outcomes.loops,
      notes: {
        chart,
        connections,
        bodyBytes: message.body.length,
        peerProcesses: replicaCount,
        peerBatch: batch,
      },
    })
  }
}

/** The batch with which the loops answer most requests; larger ones are tried until three in a row are no better. */
async function bestBatch(loops: SessionLoops, { trialSeconds }: Pace): Promise<number> {
  let best = { batch: 1, rate: 0 }
  for (const batch of batches) {
    if (batch > 8 * best.batch) break
    const rate = await loops.run({ batch, seconds: trialSeconds })
    if (rate > best.rate) best = { batch, rate }
  }
  return best.batch
}

/** The handler with which of two sessions answers more requests: on one thread, or on onnxruntime's choice. */
async function bestHandler(
  model: ModelCaseName,
  started: AsyncDisposableStack,
): Promise<Pick<Sides, 'handler' | 'threads'>> {
  const tried: (Pick<Sides, 'handler' | 'threads'> & { readonly rate: number })[] = []
  for (const threads of [1, 0]) {
    const handler = started.use(await startPeer('handler.ts', [model, String(threads)]))
    const load = { url: `${handler.url}/binary`, connections: 8, seconds: 2, ...messageOf(model, 'binary') }
    // The first one warms it up.
    await sendLoad(load)
    const { requestsPerSecond: rate } = await sendLoad(load)
    tried.push({ handler, threads, rate })
  }
  return tried.reduce((best, each) => (each.rate > best.rate ? each : best))
}
