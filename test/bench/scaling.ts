import { join } from 'node:path'
import { createControlClient } from '../../runtime/cli/control-client.ts'
import { readControlPointers } from '../../runtime/config/control-pointer.ts'
import { adding } from '../support/function-files.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import { makeProject, startServer, type TestProject, type TestServer } from '../support/server.ts'
import { readFunction } from './bench-files.ts'
import type { BenchmarkOptions } from './benchmarks.ts'
import { compare, type Figure, takeTurns } from './figure.ts'
import { processMicroseconds } from './process-time.ts'
import { flawlessOutcomeOf, sendTraffic, type TrafficClass, type TrafficRequest } from './traffic.ts'

const manyFunctions = 1_000
const manyModels = 10_000

/** What a request costs the gateway where there are many functions or models, and how soon many functions are there. */
export async function* measureScale(options: BenchmarkOptions): AsyncGenerator<Figure, void, undefined> {
  yield* measureFunctions(options)
  yield* measureModels(options)
}

async function* measureFunctions({ quick }: BenchmarkOptions): AsyncGenerator<Figure, void, undefined> {
  const text = await readFunction('noop')
  const filesOf = (count: number): Readonly<Record<string, string>> =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`functions/noop${index}.ts`, text]))
  await using one = await makeProject(filesOf(1))
  await using many = await makeProject(filesOf(manyFunctions))
  yield* measureStarts(many, quick)
  await using server = await startServer(one, 'serve', ['--replicas', '1'])
  await using crowded = await startServer(many, 'serve', ['--replicas', '1'])
  const request = (place: number): readonly TrafficRequest[] => [
    { path: `/noop${place}`, body: JSON.stringify({ message: 'hello' }) },
  ]
  yield await compareCosts({
    name: 'scale-functions',
    peer: 'the same with 1 function',
    quick,
    many: await costOf(crowded, { requests: () => request(manyFunctions / 2) }),
    one: await costOf(server, { requests: () => request(0) }),
  })
}

/** From the start of the command to the first `/readyz` that says yes. */
async function* measureStarts(project: TestProject, quick: boolean): AsyncGenerator<Figure, void, undefined> {
  const { code, stderr } = await project.run('build')
  if (code !== 0) throw new Error(`The functions could not be built: ${stderr}`)
  for (const flags of [['--build', 'dist'], []]) {
    const seconds = async (): Promise<number> => {
      const startedMs = performance.now()
      await using server = await startServer(project, 'serve', [...flags, '--replicas', '1'])
      while ((await server.call('/readyz')).status !== 200) await Bun.sleep(5)
      return (performance.now() - startedMs) / 1_000
    }
    // The first start of a project builds what the others find.
    await seconds()
    const name = flags.length > 0 ? 'scale-start-build' : 'scale-start-warm'
    const { start } = await takeTurns({ name, rounds: quick ? 1 : 5, sides: { start: seconds } })
    const notes = { functions: manyFunctions, command: ['serve', ...flags].join(' ') }
    yield compare({
      name,
      unit: 's',
      peer: 'a second',
      goal: '<= 1.5',
      values: start,
      peerValues: [1],
      notes,
    })
  }
}

async function* measureModels({ quick }: BenchmarkOptions): AsyncGenerator<Figure, void, undefined> {
  await using project = await makeModelProject()
  await using crowdedProject = await makeModelProject()
  await using server = await startServer(project, 'serve', ['--replicas', '1'])
  await using crowded = await startServer(crowdedProject, 'serve', ['--replicas', '1'])
  await addModels(crowdedProject, quick ? manyModels / 10 : manyModels)
  const body = '{"x":1}'
  const withToken = (token: string): TrafficRequest => ({
    path: '/add',
    headers: { serve_multiplexed_model_id: token },
    body,
  })
  const known = async (target: TestServer) => {
    const requests = [withToken(await target.token('five'))]
    return await costOf(target, { requests: () => requests })
  }
  const peer = 'the same with 1 model'
  yield await compareCosts({
    name: 'scale-models',
    peer,
    quick,
    many: await known(crowded),
    one: await known(server),
  })
  const perSecond = 500
  // A token that nobody has seen before is looked up in the registry. Tenants make them differ.
  let nextTenant = 0
  const fresh = (target: TestServer) =>
    costOf(target, {
      perSecond,
      requests: (seconds) =>
        Promise.all(
          Array.from({ length: 2 * perSecond * seconds }, async () => {
            nextTenant += 1
            return withToken(await target.token('five', `tenant-${nextTenant}`))
          }),
        ),
    })
  yield await compareCosts({
    name: 'scale-models-fresh-tokens',
    peer,
    quick,
    many: await fresh(crowded),
    one: await fresh(server),
  })
}

function makeModelProject(): Promise<TestProject> {
  const model = addConstantModel(5)
  return makeProject({
    'functions/add.ts': adding,
    'functions/_models/five/model.onnx': model,
    'five.onnx': model,
  })
}

/** Registers one artifact under many ids, with the server that runs. */
async function addModels({ directory }: TestProject, count: number): Promise<void> {
  const [pointer] = await readControlPointers(join(directory, '.isoplex'))
  if (!pointer) throw new Error(`No server runs in ${directory}.`)
  const administration = createControlClient(pointer.socketPath)
  const source = join(directory, 'five.onnx')
  const atOnce = 100
  for (let first = 0; first < count; first += atOnce) {
    const ids = Array.from(
      { length: Math.min(atOnce, count - first) },
      (_, index) => `model-${first + index}`,
    )
    await Promise.all(ids.map((id) => administration.addModel({ id, source, actor: 'bench' })))
  }
}

/** What a request costs. */
interface Cost {
  readonly gatewayMicroseconds: number
  readonly okPerSecond: number
  readonly generatorCores: number
}

type MeasureCost = (seconds: number) => Promise<Cost>

interface CostTraffic {
  readonly perSecond?: TrafficClass['perSecond']
  readonly requests: (seconds: number) => readonly TrafficRequest[] | Promise<readonly TrafficRequest[]>
}

function costOf({ url, pid }: TestServer, { perSecond = null, requests }: CostTraffic): MeasureCost {
  return async (seconds) => {
    const connections = perSecond === null ? 32 : 1_000
    const classes = [{ name: 'all', requests: await requests(seconds), perSecond, connections }]
    const before = await processMicroseconds(pid)
    const traffic = await sendTraffic({ url, warmUpSeconds: 0, seconds, classes })
    const outcome = flawlessOutcomeOf(traffic, 'all')
    return {
      gatewayMicroseconds: ((await processMicroseconds(pid)) - before) / outcome.ok,
      okPerSecond: outcome.okPerSecond,
      generatorCores: traffic.generatorCores,
    }
  }
}

interface CostComparison {
  readonly name: string
  readonly peer: string
  readonly quick: boolean
  readonly many: MeasureCost
  readonly one: MeasureCost
}

async function compareCosts({ name, peer, quick, many, one }: CostComparison): Promise<Figure> {
  const seconds = quick ? 2 : 4
  const rounds = await takeTurns({
    name,
    rounds: quick ? 1 : 5,
    sides: { many: () => many(seconds), one: () => one(seconds) },
  })
  const costs = (all: readonly Cost[]): number[] => all.map(({ gatewayMicroseconds }) => gatewayMicroseconds)
  const rates = (all: readonly Cost[]): number[] => all.map(({ okPerSecond }) => okPerSecond)
  return compare({
    name,
    unit: 'us of the gateway a request',
    peer,
    goal: '<= 1.2',
    values: costs(rounds.many),
    peerValues: costs(rounds.one),
    notes: {
      generator: 'test/bench/open-loop.ts',
      generatorCores: rounds.many.map(({ generatorCores }) => generatorCores),
      perSecond: rates(rounds.many),
      peerPerSecond: rates(rounds.one),
    },
  })
}
