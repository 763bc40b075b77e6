import { afterEach, beforeEach, describe, expect, it } from 'vitest'
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

describe('a runner that nobody uses', () => {
  it('goes after its idle time, and stays as long as it is pinned', async () => {
    const scheduler = workshop.open({ runnerIdleMs: 200 })
    const deployment = await loader.deploy()
    await scheduler.load(deployment, modelOf('pinned'), { pin: true, principal: 'acme' })
    await outcomeOf(scheduler, deployment, {}, { model: 'a' })
    await until(() => loader.witnessed('unload a') === 1)
    await outcomeOf(scheduler, deployment, {}, { model: 'b' })
    await until(() => loader.witnessed('unload b') === 1)
    expect(loader.witnessed('unload pinned')).toBe(0)
    scheduler.setPinned(deployment.name, modelOf('pinned').key, false)
    await until(() => loader.witnessed('unload pinned') === 1)
    await until(() => scheduler.report().departures.length === 3)
    expect(new Set(scheduler.report().departures.map(({ reason }) => reason))).toEqual(new Set(['idle']))
  })

  it('goes sooner where another runner serves the same model, pinned or not', async () => {
    const scheduler = workshop.open({ replicas: 2 })
    const deployment = await loader.deploy({ timeoutMs: 60_000 })
    await until(() => scheduler.pool.replicas.length === 2)
    await scheduler.load(deployment, modelOf('a'), { pin: true, principal: 'acme' })
    const outcomes = Array.from({ length: 150 }, () =>
      outcomeOf(scheduler, deployment, { ms: 20 }, { model: 'a' }),
    )
    await until(() => [...scheduler.pool.links].filter(({ state }) => state === 'active').length === 2)
    await Promise.all(outcomes)
    await until(() => scheduler.report().departures.length === 1)
    expect(scheduler.report().departures).toMatchObject([{ reason: 'shrink', modelKey: modelOf('a').key }])
    expect([...scheduler.pool.links].map(({ state }) => state)).toEqual(['active'])
  }, 60_000)
})
