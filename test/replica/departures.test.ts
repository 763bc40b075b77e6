import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Departures } from '../../runtime/replica/departures.ts'
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

const principal = 'acme'
const pin = false

describe('a runner that has left', () => {
  it('is reported with its reason and what it has done, the newest first', async () => {
    const scheduler = workshop.open()
    const deployment = await loader.deploy({ maxInReplica: 1 })
    const reasons = (): string[] => scheduler.report().departures.map(({ reason }) => reason)
    for (let request = 0; request < 3; request += 1)
      await outcomeOf(scheduler, deployment, {}, { model: modelOf('a', 12) })
    await outcomeOf(scheduler, deployment, {}, { model: 'b' })
    await until(() => reasons().length === 1)
    await outcomeOf(scheduler, deployment, {}, { model: 'throws' })
    await until(() => reasons().length === 2)
    await scheduler.unload(null, modelOf('b').key)
    await scheduler.load(deployment, modelOf('c'), { pin, principal })
    scheduler.setCurrent(new Set())
    await until(() => reasons().length === 4)
    expect(reasons()).toEqual(['stale', 'unload', 'failed', 'count'])
    const oldest = scheduler.report().departures.at(-1)
    expect(oldest).toMatchObject({ function: 'keeper', modelKey: modelOf('a').key, replica: 0, requests: 3 })
    expect(oldest?.bytes).toBeGreaterThanOrEqual(12)
    expect(Math.abs((oldest?.atMs ?? 0) - Date.now())).toBeLessThan(60_000)
    const tallies = workshop.options.tallies.models
    expect(tallies.reduce((sum, { loads }) => sum + loads, 0)).toBe(3)
    expect(tallies.flatMap(({ loadFailures }) => [...loadFailures.entries])).toEqual([['MODEL_BROKEN', 1]])
    const left = tallies.flatMap(({ departures }) => [...departures.entries])
    expect(Object.fromEntries(left)).toEqual({ count: 1, failed: 1, unload: 1, stale: 1 })
  })

  it('by force or by death is told from one that was retired', async () => {
    const scheduler = workshop.open({ loadTimeoutMs: 2_000 })
    const deployment = await loader.deploy()
    const reasons = (): string[] => scheduler.report().departures.map(({ reason }) => reason)
    await outcomeOf(scheduler, deployment, {}, { model: 'waits' })
    await until(() => reasons().length === 1)
    await outcomeOf(scheduler, deployment, {}, { model: 'a' })
    for (const { pid } of scheduler.pool.replicas) process.kill(pid, 'SIGKILL')
    await until(() => reasons().length === 2)
    expect(reasons()).toEqual(['crashed', 'failed'])
  })
})

it('no more than the last 200 are kept', () => {
  const departures = new Departures()
  const runner = {
    deployment: { name: 'keeper', functionName: 'keeper' },
    replica: { number: 0 },
    model: null,
    bytes: 0,
    startedMs: 0,
  }
  for (let requests = 0; requests < 450; requests += 1) departures.add({ ...runner, requests }, 'idle')
  const counts = departures.list().map(({ requests }) => requests)
  expect(counts).toEqual(Array.from({ length: 200 }, (_, index) => 449 - index))
})
