import { makeProject, startServer, type TestProject } from '../support/server.ts'
import { bodyOf, readFunction, readModel } from './bench-files.ts'
import type { BenchmarkOptions } from './benchmarks.ts'
import { compare, type Figure } from './figure.ts'
import { readResidency, servingReplicas } from './residency.ts'
import {
  failuresOf,
  flawlessOutcomeOf,
  outcomeOf,
  sendTraffic,
  type Traffic,
  type TrafficClass,
} from './traffic.ts'

const load = 0.7
const warmUpSeconds = 2

/** What it costs the callers that a replica is killed every second, while two carry 70 % of what they can. */
export async function* measureCrash({ quick }: BenchmarkOptions): AsyncGenerator<Figure, void, undefined> {
  await using project = await makeProject({
    'functions/vad.ts': await readFunction('vad'),
    'functions/_models/vad/model.onnx': await readModel('vad'),
  })
  await using server = await startServer(project, 'serve', ['--replicas', '2'])
  const request = { path: '/vad', body: bodyOf('vad') }
  const send = async (seconds: number, rate: Pick<TrafficClass, 'perSecond' | 'connections'>) => {
    const classes = [{ name: 'vad', requests: [request], ...rate }]
    const traffic: Traffic = { url: server.url, warmUpSeconds, seconds, classes }
    return await sendTraffic(traffic)
  }
  const saturation = await send(quick ? 2 : 6, { perSecond: null, connections: 64 })
  const saturated = flawlessOutcomeOf(saturation, 'vad')
  const perSecond = Math.floor(saturated.okPerSecond * load)
  const seconds = quick ? 5 : 30
  const [traffic, kills] = await Promise.all([
    send(seconds, { perSecond, connections: 4_000 }),
    killByTurns(project, seconds),
  ])
  const outcome = outcomeOf(traffic, 'vad')
  const { ok, failed, unsent, p50Ms, p99Ms, lateP99Ms } = outcome
  yield compare({
    name: 'crash',
    unit: 'failed requests',
    peer: 'one failed request',
    goal: '<= 0',
    values: [failuresOf(outcome)],
    peerValues: [1],
    notes: {
      generator: 'test/bench/open-loop.ts',
      generatorCores: traffic.generatorCores,
      saturatedPerSecond: saturated.okPerSecond,
      perSecond,
      kills,
      ok,
      failed,
      unsent,
      p50Ms,
      p99Ms,
      lateP99Ms,
    },
  })
}

/** Kills one of the serving replicas each second, by turns, for so many seconds; gives how many. */
async function killByTurns({ directory }: TestProject, seconds: number): Promise<number> {
  await Bun.sleep(warmUpSeconds * 1_000)
  let kills = 0
  for (let second = 0; second < seconds; second += 1) {
    const serving = servingReplicas(await readResidency(directory))
    const victim = serving[kills % serving.length]
    if (victim) process.kill(victim.pid, 'SIGKILL')
    kills += Number(victim !== undefined)
    await Bun.sleep(1_000)
  }
  return kills
}
