import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ResolvedModel } from '../../runtime/model/resolve.ts'
import type { Deployment } from '../../runtime/replica/deployment.ts'
import type { ResidencyReport, ResidentReport } from '../../runtime/replica/residency-report.ts'
import type { Scheduler } from '../../runtime/replica/scheduler.ts'
import { until } from '../support/server.ts'
import { makeReplicaWorkshop, modelOf, outcomeOf, type ReplicaWorkshop } from './replica-workshop.ts'
import { makeWitnessedLoader, type WitnessedLoader } from './witnessed-loader.ts'

let workshop: ReplicaWorkshop
let loader: WitnessedLoader

beforeEach(async () => {
  workshop = await makeReplicaWorkshop()
  loader = makeWitnessedLoader(workshop)
})
afterEach(() => workshop[Symbol.asyncDispose]())

it('a report says what is loaded where, for whom, since when, and how often it is used', async () => {
  const scheduler = workshop.open({ replicas: 2 })
  const deployment = await loader.deploy()
  await until(() => scheduler.pool.replicas.length === 2)
  await scheduler.load(deployment, modelOf('a', 2 ** 30), { pin: true, principal: 'acme' })
  for (let request = 0; request < 2; request += 1)
    await outcomeOf(scheduler, deployment, {}, { model: modelOf('a', 2 ** 30) })
  const { replicas, departures } = scheduler.report()
  expect(departures).toEqual([])
  const serving = replicas.filter(({ state }) => state === 'serving')
  expect(serving.map(({ replica, loads, modelBytes }) => [replica, loads, modelBytes]).toSorted()).toEqual([
    [0, 1, 2 ** 30],
    [1, 0, 0],
  ])
  const [resident, ...others] = replicas.flatMap(({ runners }) => runners)
  expect(others).toEqual([])
  expect(resident).toMatchObject({
    function: 'keeper',
    modelKey: modelOf('a').key,
    modelId: 'a',
    version: '1',
    state: 'active',
    bytes: 2 ** 30,
    requests: 2,
    pinned: true,
    principal: 'acme',
    providers: [],
  })
  const { startedAtMs = 0, loadedAtMs, loadMs, lastUsedAtMs } = resident ?? {}
  expect(loadMs).toBeGreaterThan(0)
  expect(loadedAtMs).toBeGreaterThanOrEqual(startedAtMs)
  expect(lastUsedAtMs).toBeGreaterThanOrEqual(loadedAtMs ?? 0)
  expect(Math.abs(Date.now() - startedAtMs)).toBeLessThan(60_000)
})

const limits = {
  maxRunnersPerReplica: 4,
  maxModelBytesPerReplica: 8 * 2 ** 30,
  maxModelBytesPerPrincipal: 9 * 2 ** 30,
  maxParallelLoads: 2,
}
const maxInReplica = 3

describe('whatever is asked for, and whenever', () => {
  const modelNumber = fc.integer({ min: 0, max: 9 })
  const functionNumber = fc.integer({ min: 0, max: 1 })
  const step = fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({ kind: fc.constant('ask'), model: modelNumber, fn: functionNumber }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('load'), model: modelNumber, fn: functionNumber }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('pin'), model: modelNumber, fn: functionNumber }) },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('unload'), model: modelNumber, fn: functionNumber }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('kill'), model: modelNumber, fn: functionNumber }),
    },
  )

  it('no report is ever over a limit, nothing is loaded twice at once, and each unload is of one load', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 40, maxLength: 80 }), async (steps) => {
        const scheduler = workshop.open({ replicas: 2, ...limits })
        const functions = await Promise.all(
          ['first', 'second'].map((name) => loader.deploy({ name, maxInReplica })),
        )
        const watch = setInterval(() => check(scheduler.report()), 2)
        const work: Promise<unknown>[] = []
        for (const { kind, model, fn } of steps) {
          const deployment = functions[fn]
          if (!deployment) throw new Error('There are two.')
          work.push(perform(scheduler, deployment, sized(model), kind))
          check(scheduler.report())
          await Bun.sleep(model)
        }
        const outcomes = await Promise.all(work)
        clearInterval(watch)
        check(scheduler.report())
        for (const outcome of outcomes) expect(outcome).toBeOneOf(allowed)
        await scheduler.close(10_000)
      }),
      { numRuns: 4, endOnFailure: true },
    )
    for (let model = 0; model < 10; model += 1) {
      const { id } = sized(model).info
      expect(loader.witnessed(`unload ${id}`)).toBeLessThanOrEqual(loader.witnessed(`load ${id}`))
    }
  }, 120_000)
})

/** Models of one to three units, one that does not come up, and one that never has room. */
function sized(number: number): ResolvedModel {
  if (number === 8) return modelOf('throws', 2 ** 30)
  if (number === 9) return modelOf('giant', 20 * 2 ** 30)
  return modelOf(number % 4 === 0 ? `slow-${number}` : `m${number}`, (1 + (number % 3)) * 2 ** 30)
}

const allowed = ['answered', 'MODEL_BROKEN', 'MODEL_TOO_LARGE', 'ROOM_TAKEN']

async function perform(
  scheduler: Scheduler,
  deployment: Deployment,
  model: ResolvedModel,
  kind: string,
): Promise<unknown> {
  const { name } = deployment
  if (kind === 'ask') {
    const outcome = await outcomeOf(scheduler, deployment, { ms: 5 }, { model })
    return typeof outcome === 'string' ? outcome : 'answered'
  }
  try {
    if (kind === 'load') await scheduler.load(deployment, model, { pin: false, principal: 'acme' })
    else if (kind === 'unload') await scheduler.unload(name, model.key)
    else if (kind === 'pin') {
      scheduler.setPinned(name, model.key, true)
      await Bun.sleep(100)
      scheduler.setPinned(name, model.key, false)
    } else for (const { pid } of scheduler.pool.replicas.slice(0, 1)) process.kill(pid, 'SIGKILL')
    return 'answered'
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error
  }
}

/** The rules, told plainly, of those that serve or finish; and how many may come up beside them. */
function check({ replicas }: ResidencyReport): void {
  const sizeOf = (some: readonly ResidentReport[]): number => some.reduce((sum, { bytes }) => sum + bytes, 0)
  const resident = ({ state, loadedAtMs }: ResidentReport): boolean =>
    state === 'active' || (state === 'retiring' && loadedAtMs !== null)
  for (const { runners } of replicas) {
    const residents = runners.filter(resident)
    expect(residents.length).toBeLessThanOrEqual(limits.maxRunnersPerReplica)
    expect(sizeOf(residents)).toBeLessThanOrEqual(limits.maxModelBytesPerReplica)
    const functions = Object.groupBy(residents, (each) => each.function)
    for (const own of Object.values(functions)) expect(own?.length).toBeLessThanOrEqual(maxInReplica)
    const coming = runners.filter(({ state }) => state === 'starting' || state === 'loaded')
    const loads = coming.filter(({ state }) => state === 'starting')
    expect(loads.length).toBeLessThanOrEqual(limits.maxParallelLoads)
    expect(coming.length).toBeLessThanOrEqual(2 * limits.maxParallelLoads)
  }
  const all = replicas.flatMap(({ runners }) => runners)
  const loads = all
    .filter(({ state }) => state === 'starting')
    .map((each) => `${each.function} ${each.modelKey}`)
  expect(new Set(loads).size).toBe(loads.length)
  for (const principal of ['acme', 'test']) {
    const own = all.filter((each) => each.principal === principal && resident(each))
    expect(sizeOf(own)).toBeLessThanOrEqual(limits.maxModelBytesPerPrincipal)
  }
}
