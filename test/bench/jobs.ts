import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestServer } from '../support/server.ts'
import type { BenchmarkOptions } from './benchmarks.ts'
import { compare, type Figure, median, takeTurns } from './figure.ts'
import { runJob, startJobServer, submitJob } from './job-server.ts'
import { watchJob } from './job-watchers.ts'
import { forgetLags, lagEnvironment, readLags } from './lag.ts'
import { sendLoad } from './load.ts'
import { treeBytes } from './memory.ts'
import type { ModelCaseName } from './model-case.ts'
import { processMicroseconds } from './process-time.ts'
import { type LoopOrder, type SessionLoops, startSessionLoops } from './session-loops.ts'
import { treeMicroseconds } from './tree-time.ts'

const stepLimitMs = 2
const lagLimitMs = 10
const megabyte = 2 ** 20
const submitters = 16

/** What jobs cost: beside a bare loop, beside limits, and by how many of them there are. */
export async function* measureJobs({ quick }: BenchmarkOptions): AsyncGenerator<Figure, void, undefined> {
  {
    await using server = await startJobServer([])
    yield await measureLoop(server, 'vad', 32, quick)
    yield await measureLoop(server, 'detection', 4, quick)
    yield await measureSteps(server, quick)
    yield await measureStream(server, quick)
    yield await measureWatchers(server, quick)
  }
  yield* measureQueue(quick)
  yield await measureLag(quick)
}

/** What one side of a comparison of loops came to. */
interface LoopRound {
  readonly inputsPerSecond: number
  /** In a second of processor time: it tells the sides apart where others keep the machine busy, too. */
  readonly inputsPerProcessorSecond: number
}

async function measureLoop(
  server: TestServer,
  model: ModelCaseName,
  batchSize: number,
  quick: boolean,
): Promise<Figure> {
  const seconds = quick ? 1 : 5
  await using loops = await startSessionLoops(model, 1)
  const { ours, theirs } = await takeTurns({
    name: `jobs-inference-${model}`,
    rounds: quick ? 1 : 3,
    sides: {
      ours: () => inferInJob(server, { model, batchSize, forMs: seconds * 1_000 }),
      theirs: () => inferBare(loops, { batch: batchSize, seconds }),
    },
  })
  const middle = (rounds: readonly LoopRound[]): number =>
    median(rounds.map(({ inputsPerProcessorSecond }) => inputsPerProcessorSecond))
  return compare({
    name: `jobs-inference-${model}`,
    unit: 'inputs/s',
    peer: 'bare session.run loop',
    goal: '>= 0.9',
    values: ours.map(({ inputsPerSecond }) => inputsPerSecond),
    peerValues: theirs.map(({ inputsPerSecond }) => inputsPerSecond),
    notes: { batchSize, seconds, processorRatio: middle(ours) / middle(theirs) },
  })
}

async function inferInJob(server: TestServer, params: object): Promise<LoopRound> {
  const round = await runJob<{ inputs: number; elapsedMs: number; processorMs: number }>(
    server,
    '/job-inference',
    params,
  )
  const { inputs, elapsedMs, processorMs } = round
  return {
    inputsPerSecond: (inputs * 1_000) / elapsedMs,
    inputsPerProcessorSecond: (inputs * 1_000) / processorMs,
  }
}

async function inferBare(loops: SessionLoops, order: LoopOrder): Promise<LoopRound> {
  const spent = async (): Promise<number> => processMicroseconds(loops.pids[0] ?? 0)
  const before = await spent()
  const inputsPerSecond = await loops.run(order)
  const seconds = ((await spent()) - before) / 1e6
  return { inputsPerSecond, inputsPerProcessorSecond: (inputsPerSecond * order.seconds) / seconds }
}

async function measureSteps(server: TestServer, quick: boolean): Promise<Figure> {
  const values: number[] = []
  for (let round = 0; round < (quick ? 1 : 3); round += 1) {
    values.push((await runJob<{ stepMs: number }>(server, '/job-steps', {})).stepMs)
  }
  return compare({
    name: 'jobs-step',
    unit: 'ms',
    peer: 'limit',
    goal: '<= 1',
    values,
    peerValues: [stepLimitMs],
    notes: { store: 'SQLite' },
  })
}

async function measureStream(server: TestServer, quick: boolean): Promise<Figure> {
  const count = quick ? 50_000 : 1_000_000
  const startedMs = performance.now()
  const { residentBytes } = await runJob<{ residentBytes: number[] }>(server, '/job-stream', { count })
  const tenth = (index: number): number[] => residentBytes.slice(index * 10, (index + 1) * 10)
  const inMegabytes = (bytes: readonly number[]): number[] => bytes.map((each) => each / megabyte)
  return compare({
    name: 'jobs-stream-memory',
    unit: 'MB',
    peer: 'the second tenth',
    goal: '<= 1.1',
    values: inMegabytes(tenth(9)),
    peerValues: inMegabytes(tenth(1)),
    notes: { inputs: count, inputsPerSecond: Math.round((count * 1_000) / (performance.now() - startedMs)) },
  })
}

async function measureWatchers(server: TestServer, quick: boolean): Promise<Figure> {
  const watchers = quick ? 20 : 200
  const job = quick ? { events: 100, pauseMs: 10 } : { events: 1_000, pauseMs: 10 }
  const outcomes = await takeTurns({
    name: 'jobs-watchers',
    rounds: 1,
    sides: { ours: () => watchJob(server, watchers, job), theirs: () => watchJob(server, 1, job) },
  })
  return compare({
    name: 'jobs-watchers-p99',
    unit: 'ms',
    peer: 'one watcher',
    goal: 'none',
    values: outcomes.ours.map(({ p99Ms }) => p99Ms),
    peerValues: outcomes.theirs.map(({ p99Ms }) => p99Ms),
    notes: {
      watchers,
      ...job,
      p50Ms: median(outcomes.ours.map(({ p50Ms }) => p50Ms)),
      serverMicrosecondsPerEvent: median(outcomes.ours.map((each) => each.serverMicroseconds)),
    },
  })
}

/** Submits jobs that nobody runs. */
async function* measureQueue(quick: boolean): AsyncGenerator<Figure, void, undefined> {
  const count = quick ? 500 : 10_000
  await using server = await startJobServer(['--max-concurrent-jobs', '0'])
  await submitMany(server, submitters)
  const [bytesBefore, timeBefore] = [await treeBytes(server.pid), await treeMicroseconds(server.pid)]
  const startedMs = performance.now()
  await submitMany(server, count)
  const seconds = (performance.now() - startedMs) / 1_000
  const spent = ((await treeMicroseconds(server.pid)) ?? 0) - (timeBefore ?? 0)
  yield compare({
    name: 'jobs-submit',
    unit: 'jobs/s',
    peer: 'one job',
    goal: 'none',
    values: [count / seconds],
    peerValues: [1],
    notes: { jobs: count, connections: submitters, serverMicroseconds: spent / count },
  })
  yield compare({
    name: 'jobs-queued-memory',
    unit: 'MB',
    peer: 'the server before',
    goal: 'none',
    values: [(await treeBytes(server.pid)) / megabyte],
    peerValues: [bytesBefore / megabyte],
    notes: { jobs: count },
  })
}

async function submitMany(server: TestServer, count: number): Promise<void> {
  let left = count
  const submit = async (): Promise<void> => {
    while (left-- > 0) await submitJob(server, '/job-events', { count: 1, pauseMs: 0 })
  }
  await Promise.all(Array.from({ length: submitters }, submit))
}

async function measureLag(quick: boolean): Promise<Figure> {
  const seconds = quick ? 2 : 10
  await using stack = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'isoplex-lag-'))
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  const socket = join(folder, 'lag.sock')
  const server = stack.use(await startJobServer([], lagEnvironment(socket)))
  const windows = []
  for (let round = 0; round < (quick ? 1 : 3); round += 1) {
    const params = { model: 'vad', batchSize: 32, forMs: seconds * 1_000 }
    const job = runJob(server, '/job-inference', params)
    await forgetLags(socket)
    const load = { url: `${server.url}/noop`, connections: 8, seconds }
    const json = { 'content-type': 'application/json' }
    await sendLoad({ ...load, headers: json, body: JSON.stringify({ message: 'hello' }) })
    windows.push(await readLags(socket))
    await job
  }
  return compare({
    name: 'jobs-lag-p99',
    unit: 'ms',
    peer: 'limit',
    goal: '<= 1',
    values: windows.map(({ p99 }) => p99),
    peerValues: [lagLimitMs],
    notes: {
      p50: median(windows.map(({ p50 }) => p50)),
      max: Math.max(...windows.map(({ max }) => max)),
      samples: median(windows.map(({ samples }) => samples)),
      generator: 'wrk',
    },
  })
}
