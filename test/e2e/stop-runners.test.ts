import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Deployment } from '../../runtime/replica/deployment.ts'
import type { Scheduler } from '../../runtime/replica/scheduler.ts'
import { makeReplicaWorkshop, outcomeOf, type ReplicaWorkshop } from '../replica/replica-workshop.ts'
import { makeWitnessedLoader, type WitnessedLoader } from '../replica/witnessed-loader.ts'
import { until } from '../support/server.ts'

const single = `
export default defineFunction({
  input: Type.Any(),
  handler: async ({ input: { act, ms = 0 } }) => {
    if (act === 'hang') await new Promise(() => {})
    await Bun.sleep(ms)
    return { pid: process.pid }
  },
})
`

let workshop: ReplicaWorkshop
let loader: WitnessedLoader

beforeEach(async () => {
  workshop = await makeReplicaWorkshop()
  loader = makeWitnessedLoader(workshop)
})
afterEach(() => workshop[Symbol.asyncDispose]())

const deploy = (): Promise<Deployment> => loader.deploy()
const witnessed = (what: string): number => loader.witnessed(what)

async function openSingle(
  facts: Partial<Deployment> = {},
): Promise<{ scheduler: Scheduler; deployment: Deployment }> {
  return { scheduler: workshop.open(), deployment: await workshop.deploy('single', single, facts) }
}

describe('closing a scheduler', () => {
  it('finishes what waits and what runs', async () => {
    const { scheduler, deployment } = await openSingle()
    const outcomes = [1, 2, 3].map(() => outcomeOf(scheduler, deployment, { ms: 50 }))
    await scheduler.close(5_000)
    for (const outcome of await Promise.all(outcomes)) expect(outcome).toHaveProperty('pid')
  })

  it('settles every request by its time limit, whatever the function does', async () => {
    const { scheduler, deployment } = await openSingle({ concurrency: 2 })
    await outcomeOf(scheduler, deployment, {})
    const outcomes = ['hang', 'hang', 'hang'].map((act) => outcomeOf(scheduler, deployment, { act }))
    const startedMs = performance.now()
    await scheduler.close(500)
    expect(performance.now() - startedMs).toBeLessThan(1_000)
    expect(await Promise.all(outcomes)).toEqual(Array(3).fill('DRAINING'))
  })

  it('can be asked for twice', async () => {
    const { scheduler, deployment } = await openSingle()
    await outcomeOf(scheduler, deployment, {})
    await Promise.all([scheduler.close(2_000), scheduler.close(2_000)])
    await scheduler.close(0)
  })

  it('during a load lets it come up, and takes it down again', async () => {
    const scheduler = workshop.open()
    const deployment = await deploy()
    const outcome = outcomeOf(scheduler, deployment, {}, { model: 'slow', signal: AbortSignal.timeout(150) })
    await until(() => witnessed('load slow') === 1)
    expect(await outcome).toBe('CANCELLED')
    const startedMs = performance.now()
    await scheduler.close(8_000)
    expect(performance.now() - startedMs).toBeLessThan(2_000)
    expect([witnessed('unload slow'), witnessed('teardown')]).toEqual([1, 1])
  })

  it('before its runner has connected ends all the same', async () => {
    const scheduler = workshop.open()
    const deployment = await deploy()
    await until(() => scheduler.pool.replicas.length === 1)
    const outcome = outcomeOf(scheduler, deployment, {}, { model: 'a', signal: AbortSignal.timeout(1) })
    expect(await outcome).toBe('CANCELLED')
    const startedMs = performance.now()
    await scheduler.close(8_000)
    expect(performance.now() - startedMs).toBeLessThan(2_000)
  })

  it('before any replica is ready ends all the same', async () => {
    const startedMs = performance.now()
    await workshop.open({ replicas: 2 }).close(8_000)
    expect(performance.now() - startedMs).toBeLessThan(2_000)
  })

  it.each(['waits', 'spins'])('during a load that never ends ends by its time limit: %s', async (model) => {
    const scheduler = workshop.open()
    const deployment = await deploy()
    await outcomeOf(scheduler, deployment, {}, { model: 'a' })
    const outcome = outcomeOf(scheduler, deployment, {}, { model })
    await until(() => witnessed(`load ${model}`) === 1)
    const startedMs = performance.now()
    await scheduler.close(600)
    expect(performance.now() - startedMs).toBeLessThan(1_000)
    expect(await outcome).toBe('DRAINING')
    expect(witnessed('unload a')).toBe(1)
  })
})
