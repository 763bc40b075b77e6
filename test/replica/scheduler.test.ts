import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Deployment } from '../../runtime/replica/deployment.ts'
import type { Scheduler, SchedulerOptions } from '../../runtime/replica/scheduler.ts'
import { until } from '../support/server.ts'
import { batched, single } from './acting-functions.ts'
import { makeReplicaWorkshop, modelOf, outcomeOf, type ReplicaWorkshop, Witness } from './replica-workshop.ts'

let workshop: ReplicaWorkshop

beforeEach(async () => {
  workshop = await makeReplicaWorkshop()
})
afterEach(() => workshop[Symbol.asyncDispose]())

async function openSingle(
  facts: Partial<Deployment> = {},
  options: Partial<SchedulerOptions> = {},
): Promise<{ scheduler: Scheduler; deployment: Deployment }> {
  return { scheduler: workshop.open(options), deployment: await workshop.deploy('single', single, facts) }
}

describe('requests', () => {
  it('run side by side as far as the runner takes them, and wait beyond', async () => {
    const { scheduler, deployment } = await openSingle({ concurrency: 2 })
    const outcomes = await Promise.all([1, 2, 3, 4, 5].map(() => outcomeOf(scheduler, deployment, { ms: 5 })))
    for (const outcome of outcomes) expect(outcome).toMatchObject({ pid: expect.any(Number) })
  })

  it('are gathered while a batch runs, and are never more than a batch takes', async () => {
    const scheduler = workshop.open()
    const deployment = await workshop.deploy('batched', batched, {
      batch: { maxSize: 4, maxDelayMs: 0, maxBytes: 1_048_576 },
      ahead: 1,
    })
    const outcomes = await Promise.all(
      Array.from({ length: 9 }, () => outcomeOf(scheduler, deployment, { ms: 20 }, { model: 'a' })),
    )
    const sizes = outcomes.map((outcome) => (outcome as { size: number }).size)
    expect(Math.max(...sizes)).toBe(4)
  })

  it('are refused where too many wait, and when the scheduler is closing', async () => {
    const { scheduler, deployment } = await openSingle({}, { maxQueuedRequests: 2 })
    const waiting = [1, 2].map(() => outcomeOf(scheduler, deployment, {}))
    expect(await outcomeOf(scheduler, deployment, {})).toBe('QUEUE_FULL')
    for (const outcome of await Promise.all(waiting)) expect(outcome).toHaveProperty('pid')
    const closing = scheduler.close(1_000)
    expect(await outcomeOf(scheduler, deployment, {})).toBe('DRAINING')
    await closing
  })

  it('of callers who have gone already are not run', async () => {
    const { scheduler, deployment } = await openSingle()
    const file = join(workshop.directory, 'begun')
    expect(await outcomeOf(scheduler, deployment, { file }, { signal: AbortSignal.abort() })).toBe(
      'CANCELLED',
    )
    expect(await outcomeOf(scheduler, deployment, {})).toHaveProperty('pid')
    expect(existsSync(file)).toBe(false)
  })
})

describe('what is kept', () => {
  it('is nothing of requests whose callers have gone', async () => {
    const { scheduler, deployment } = await openSingle({ concurrency: 16 })
    await outcomeOf(scheduler, deployment, {})
    const witness = new Witness<AbortSignal>()
    const send = async (count: number): Promise<void> => {
      const caller = new AbortController()
      const outcome = outcomeOf(scheduler, deployment, { ms: 2 }, { signal: witness.watch(caller.signal) })
      if (count % 3 > 0) setTimeout(() => caller.abort(), count % 7)
      await outcome
    }
    for (let round = 0; round < 10; round += 1) {
      await Promise.all(Array.from({ length: 300 }, (_, count) => send(count)))
    }
    await until(() => [...scheduler.pool.links].every(({ idle }) => idle))
    await until(() => witness.count() < 30)
  })

  it('is no queue of a model that nobody asks for any more', async () => {
    // No replica ever takes orders here, so that requests can only wait.
    const scheduler = workshop.open({ replicaEntryPath: join(workshop.directory, 'absent.ts') })
    const deployment = await workshop.deploy('batched', batched)
    const witness = new Witness<ReturnType<typeof modelOf>>()
    const outcomes = Array.from({ length: 300 }, (_, count) => {
      const signal = AbortSignal.timeout(1 + (count % 20))
      return outcomeOf(scheduler, deployment, {}, { model: witness.watch(modelOf(`m${count}`)), signal })
    })
    expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['CANCELLED']))
    outcomes.length = 0
    await until(() => witness.count() < 30)
  })
})

describe('many models in few places', () => {
  it('never has more at work than the limit, and answers each in bounded time', async () => {
    const scheduler = workshop.open()
    const deployment = await workshop.deploy('batched', batched, {
      maxInReplica: 3,
      ahead: 1,
      timeoutMs: 60_000,
    })
    const answered = new Map<string, number>()
    let stopped = false
    let most = 0
    let loaded = 0
    const loop = async (model: string): Promise<void> => {
      while (!stopped) {
        const outcome = await outcomeOf(scheduler, deployment, { ms: 1 }, { model })
        expect(outcome).toHaveProperty('pid')
        answered.set(model, (answered.get(model) ?? 0) + 1)
        const links = [...scheduler.pool.links]
        most = Math.max(most, links.filter(({ state }) => state === 'active').length)
        loaded = Math.max(loaded, links.length)
      }
    }
    const models = ['a', 'b', 'c', 'd', 'e']
    const loops = models.flatMap((model) => [loop(model), loop(model), loop(model)])
    await until(() => models.every((model) => (answered.get(model) ?? 0) > 100))
    stopped = true
    await Promise.all(loops)
    expect(most).toBe(3)
    // Newcomers come up beside those that serve.
    expect(loaded).toBeLessThanOrEqual(3 + workshop.options.maxParallelLoads)
  })
})
