import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Deployment } from '../../runtime/replica/deployment.ts'
import type { Scheduler, SchedulerOptions } from '../../runtime/replica/scheduler.ts'
import { isStopped } from '../support/process-table.ts'
import { until } from '../support/server.ts'
import { batched, single, streaming } from './acting-functions.ts'
import {
  ask,
  makeReplicaWorkshop,
  modelOf,
  outcomeOf,
  type ReplicaWorkshop,
  Witness,
} from './replica-workshop.ts'

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

describe('a runner that does not let go', () => {
  it.each(['loop', 'hang'])('is ended after the deadline, and its process goes on: %s', async (how) => {
    const { scheduler, deployment } = await openSingle({ timeoutMs: 300 })
    const other = await workshop.deploy('other', single)
    const before = await outcomeOf(scheduler, other, {})
    const neighbour = outcomeOf(scheduler, other, { ms: 1_800 })
    expect(await outcomeOf(scheduler, deployment, { act: how })).toBe('DEADLINE_EXCEEDED')
    await until(async () => typeof (await outcomeOf(scheduler, deployment, {})) === 'object')
    expect(await neighbour).toEqual(before)
    expect(await outcomeOf(scheduler, other, {})).toEqual(before)
  })

  it('is ended when nobody waits any more, and what else it had in hand runs again', async () => {
    const { scheduler, deployment } = await openSingle({ timeoutMs: 1_000, concurrency: 8 })
    await outcomeOf(scheduler, deployment, {})
    const caller = new AbortController()
    const hanging = outcomeOf(scheduler, deployment, { act: 'hang' }, { signal: caller.signal })
    caller.abort()
    expect(await hanging).toBe('CANCELLED')
    await until(() => workshop.log.some(({ message }) => message === 'A runner is ended'))
    expect(await outcomeOf(scheduler, deployment, {})).toHaveProperty('pid')
  })

  it('does not make its neighbours in the thread fail, however often it happens', async () => {
    const { scheduler, deployment } = await openSingle({ timeoutMs: 3_000, concurrency: 8 })
    const impatient = { ...deployment, timeoutMs: 100 }
    for (let round = 0; round < 2; round += 1) {
      await outcomeOf(scheduler, deployment, {})
      const hanging = outcomeOf(scheduler, impatient, { act: 'hang' })
      const neighbour = outcomeOf(scheduler, deployment, { ms: 1_300 })
      expect(await hanging).toBe('DEADLINE_EXCEEDED')
      expect(await neighbour).toHaveProperty('pid')
    }
  })
})

describe.runIf(process.platform === 'linux')('a replica that stands still', () => {
  it('is ended once it has missed a deadline, and replaced', async () => {
    const { scheduler, deployment } = await openSingle({ timeoutMs: 300 })
    await outcomeOf(scheduler, deployment, {})
    const pids = scheduler.pool.replicas.map(({ pid }) => pid)
    for (const pid of pids) process.kill(pid, 'SIGSTOP')
    await until(() => pids.every(isStopped))
    expect(await outcomeOf(scheduler, deployment, {})).toBe('DEADLINE_EXCEEDED')
    await until(async () => typeof (await outcomeOf(scheduler, deployment, {})) === 'object')
  })
})

describe('a request whose replica dies', () => {
  it('is tried alone, and fails where it dies there too', async () => {
    const { scheduler, deployment } = await openSingle()
    expect(await outcomeOf(scheduler, deployment, { act: 'kill' })).toBe('REPLICA_CRASHED')
    const deaths = workshop.log
      .filter(({ message }) => message.includes('died'))
      .map(({ message }) => message)
    expect(deaths).toEqual(['A replica died and is replaced', 'A replica that was set apart died'])
    expect(await outcomeOf(scheduler, deployment, {})).toHaveProperty('pid')
  })

  it('is answered where the replica was killed from outside, however often', async () => {
    const { scheduler, deployment } = await openSingle({ timeoutMs: 60_000 })
    await outcomeOf(scheduler, deployment, {})
    for (let round = 0; round < 3; round += 1) {
      const asked = outcomeOf(scheduler, deployment, { ms: 200 })
      await until(() => [...scheduler.pool.links].some(({ idle }) => !idle))
      for (const { pid } of scheduler.pool.replicas) process.kill(pid, 'SIGKILL')
      expect(await asked).toHaveProperty('pid')
    }
  }, 20_000)

  it('fails at once where it must not run twice', async () => {
    const { scheduler, deployment } = await openSingle({ idempotent: false })
    const outcomes = [{ act: 'kill' }, {}].map((input) => outcomeOf(scheduler, deployment, input))
    expect(await Promise.all(outcomes)).toEqual(['REPLICA_CRASHED', { pid: expect.any(Number) }])
    expect(workshop.log.filter(({ message }) => message === 'A replica died and is replaced')).toHaveLength(1)
  })

  it('is told from all others, of its batch and of its process, where several kill at once', async () => {
    const scheduler = workshop.open({ replicas: 2 })
    const deployment = await workshop.deploy('batched', batched, {
      batch: { maxSize: 8, maxDelayMs: 20, maxBytes: 1_048_576 },
      ahead: 1,
      timeoutMs: 60_000,
    })
    const beside = await workshop.deploy('single', single, { concurrency: 8, timeoutMs: 60_000 })
    const innocent = Array.from({ length: 40 }, (_, index) =>
      index % 2 === 0
        ? outcomeOf(scheduler, deployment, { ms: 10 }, { model: index % 4 === 0 ? 'a' : 'b' })
        : outcomeOf(scheduler, beside, { ms: 100 }),
    )
    const guilty = [
      outcomeOf(scheduler, deployment, { act: 'kill' }, { model: 'a' }),
      outcomeOf(scheduler, deployment, { act: 'kill', ms: 5 }, { model: 'b' }),
      outcomeOf(scheduler, beside, { act: 'kill' }),
    ]
    expect(await Promise.all(guilty)).toEqual(['REPLICA_CRASHED', 'REPLICA_CRASHED', 'REPLICA_CRASHED'])
    for (const outcome of await Promise.all(innocent)) expect(outcome).toHaveProperty('pid')
  }, 60_000)

  it('runs again where only the thread of its runner ended, and fails in the end', async () => {
    const { scheduler, deployment } = await openSingle({ concurrency: 4 })
    await outcomeOf(scheduler, deployment, {})
    const outcomes = await Promise.all(
      [{ act: 'exit' }, { ms: 200 }, { ms: 200 }].map((input) => outcomeOf(scheduler, deployment, input)),
    )
    expect(outcomes).toEqual(['REPLICA_CRASHED', { pid: expect.any(Number) }, { pid: expect.any(Number) }])
    expect(workshop.log.some(({ message }) => message === 'A replica died and is replaced')).toBe(false)
  })

  it('is told from others also where its code is no longer current', async () => {
    const { scheduler, deployment } = await openSingle({ concurrency: 8 })
    await outcomeOf(scheduler, deployment, {})
    const outcomes = [{ act: 'kill' }, { act: 'kill' }, { ms: 100 }].map((input) =>
      outcomeOf(scheduler, deployment, input),
    )
    scheduler.setCurrent(new Set())
    expect(await Promise.all(outcomes)).toEqual([
      'REPLICA_CRASHED',
      'REPLICA_CRASHED',
      { pid: expect.any(Number) },
    ])
    await until(() => [...scheduler.pool.links].length === 0)
  })

  it('breaks off a stream that has begun', async () => {
    const scheduler = workshop.open()
    const deployment = await workshop.deploy('streaming', streaming)
    const { body } = await ask(scheduler, deployment, {})
    const reader = (body as ReadableStream<Uint8Array>).getReader()
    await reader.read()
    for (const { pid } of scheduler.pool.replicas) process.kill(pid, 'SIGKILL')
    const end = (async () => {
      for (;;) if ((await reader.read()).done) return 'whole'
    })()
    await expect(end).rejects.toMatchObject({ code: 'REPLICA_CRASHED' })
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
