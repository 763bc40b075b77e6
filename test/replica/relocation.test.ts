import { afterEach, beforeEach, describe, expect, it } from 'vitest'
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

const pidOf = (scheduler: Scheduler): number | undefined => scheduler.pool.replicas[0]?.pid

describe('a replica that leaves', () => {
  it('is followed by a fresh one with the models that are in use, without a failed request', async () => {
    const scheduler = workshop.open({ maxReplicaLoads: 4 })
    const deployment = await loader.deploy({ maxInReplica: 4, timeoutMs: 60_000 })
    let stopped = false
    const pids = new Set<number>()
    const loop = async (model: string): Promise<void> => {
      while (!stopped) {
        const outcome = await outcomeOf(scheduler, deployment, { ms: 1 }, { model })
        expect(outcome).toMatchObject({ model })
        pids.add((outcome as { pid: number }).pid)
      }
    }
    const loops = ['a', 'b', 'c'].map(loop)
    await until(() => ['a', 'b', 'c'].every((model) => loader.witnessed(`load ${model}`) === 1))
    await outcomeOf(scheduler, deployment, {}, { model: 'd' })
    await until(() => scheduler.report().departures.filter(({ reason }) => reason === 'replaced').length >= 4)
    stopped = true
    await Promise.all(loops)
    expect(pids.size).toBeGreaterThanOrEqual(2)
    for (const model of ['a', 'b', 'c']) expect(loader.witnessed(`unload ${model}`)).toBeGreaterThanOrEqual(1)
    await outcomeOf(scheduler, deployment, {}, { model: 'a' })
  }, 60_000)

  it('hands its pinned models on', async () => {
    const scheduler = workshop.open({ maxReplicaLoads: 2, runnerIdleMs: 600_000 })
    const deployment = await loader.deploy({ maxInReplica: 4 })
    await until(() => pidOf(scheduler) !== undefined)
    const before = pidOf(scheduler)
    await scheduler.load(deployment, modelOf('pinned'), { pin: true, principal: 'acme' })
    await scheduler.load(deployment, modelOf('a'), { pin: false, principal: 'acme' })
    await until(() => pidOf(scheduler) !== undefined && pidOf(scheduler) !== before)
    await until(() => loader.witnessed('unload pinned') >= 1)
    const residents = scheduler.report().replicas.flatMap(({ runners }) => runners)
    expect(residents).toContainEqual(
      expect.objectContaining({
        modelKey: modelOf('pinned').key,
        state: 'active',
        pinned: true,
        principal: 'acme',
      }),
    )
  })

  it('ends though a successor cannot come up', async () => {
    const scheduler = workshop.open({ maxReplicaLoads: 2 })
    const once = `
import { existsSync, writeFileSync } from 'node:fs'
export default defineInference({
  input: Type.Any(),
  model: multiplexed(({ id }) => {
    const flag = ${JSON.stringify(`${workshop.directory}/taken-`)} + id
    if (existsSync(flag)) throw new Error('only once')
    writeFileSync(flag, '')
    return id
  }),
  infer: (_, { model }) => ({ model }),
})`
    const deployment = await workshop.deploy('one-of-a-kind', once, { maxInReplica: 4, ahead: 1 })
    for (const model of ['a', 'b']) await outcomeOf(scheduler, deployment, {}, { model })
    await until(
      () => scheduler.report().departures.filter(({ reason }) => reason === 'replaced').length === 2,
    )
    await until(() => scheduler.report().replicas.every(({ state }) => state !== 'leaving'))
  })
})

describe('a pinned model', () => {
  it('is loaded again by itself when its runner dies', async () => {
    const scheduler = workshop.open()
    const deployment = await loader.deploy()
    await scheduler.load(deployment, modelOf('a'), { pin: true, principal: 'acme' })
    for (const { pid } of scheduler.pool.replicas) process.kill(pid, 'SIGKILL')
    await until(() => loader.witnessed('load a') === 2)
    await until(() => [...scheduler.pool.links].some(({ state }) => state === 'active'))
    // The queue of its requests is the same: they find it there.
    expect(await outcomeOf(scheduler, deployment, {}, { model: 'a' })).toHaveProperty('model', 'a')
    expect(loader.witnessed('load a')).toBe(2)
  })

  it('is loaded again after a load that failed', async () => {
    const scheduler = workshop.open()
    const deployment = await loader.deploy()
    const load = scheduler.load(deployment, modelOf('throws'), { pin: true, principal: 'acme' })
    await expect(load).rejects.toMatchObject({ code: 'MODEL_BROKEN' })
    expect(loader.witnessed('load throws')).toBe(1)
    await until(() => loader.witnessed('load throws') === 2)
    expect(await scheduler.unload(deployment.name, modelOf('throws').key)).toBeLessThanOrEqual(1)
  })
})
