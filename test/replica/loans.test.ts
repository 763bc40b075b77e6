import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Deployment } from '../../runtime/replica/deployment.ts'
import type { Scheduler, SchedulerOptions } from '../../runtime/replica/scheduler.ts'
import { until } from '../support/server.ts'
import { type Script, targetsOf, writeCallingReplica } from './calling-replica.ts'
import { ask, makeReplicaWorkshop, modelOf, outcomeOf, type ReplicaWorkshop } from './replica-workshop.ts'

let workshop: ReplicaWorkshop
let replicaEntryPath: string

beforeEach(async () => {
  workshop = await makeReplicaWorkshop()
  replicaEntryPath = await writeCallingReplica(workshop.directory)
})
afterEach(() => workshop[Symbol.asyncDispose]())

interface Scene {
  readonly scheduler: Scheduler
  run(to: string, model: string, script: Script, principal?: string): Promise<unknown>
  /** What is loaded, by function and model. */
  loaded(): string[]
}

async function open(
  names: readonly string[],
  facts: Partial<Deployment> = {},
  options: Partial<SchedulerOptions> = {},
): Promise<Scene> {
  const scheduler = workshop.open({ replicaEntryPath, ...options })
  const deployments = await Promise.all(
    names.map((name) => workshop.deploy(name, '', { ahead: 1, timeoutMs: 8_000, ...facts })),
  )
  scheduler.answerCalls(targetsOf(deployments))
  return {
    scheduler,
    run: (to, model, script, principal = 'test') => {
      const deployment = deployments.find(({ name }) => name === to)
      if (!deployment) throw new Error('It is there.')
      return outcomeOf(scheduler, deployment, script, { model, principal })
    },
    loaded: () =>
      [...scheduler.pool.links]
        .filter(({ state }) => state !== 'gone')
        .map((link) => `${link.deployment.name} ${link.model?.info.id}`)
        .toSorted(),
  }
}

const call = (to: string, model: string, script: Script = {}): Script => ({
  calls: [[{ to, model, ...script }]],
})

/** Limits that leave room for one. */
const single = { maxInReplica: 1 }
const oneRunner = { maxRunnersPerReplica: 1 }

describe('a runner that waits for a call', () => {
  it('lends its place to what it waits for, which goes when the limits can hold again', async () => {
    const { run, loaded } = await open(['a'], single)
    expect(await run('a', 'x', call('a', 'y'))).toMatchObject({ model: 'x', answers: [{ model: 'y' }] })
    await until(() => loaded().length === 1)
  })

  it('does so along a chain, through other functions and back to itself', async () => {
    const { run, loaded } = await open(['a', 'b', 'c'], single, oneRunner)
    const script = call('b', 'y', call('c', 'z', call('a', 'x', call('a', 'w'))))
    expect(await run('a', 'x', script)).toMatchObject({
      answers: [{ name: 'b', answers: [{ name: 'c', answers: [{ name: 'a', model: 'x' }] }] }],
    })
    await until(() => loaded().length === 1)
  })

  it('lends bytes as well: those of its replica and those of its principal', async () => {
    for (const limits of [{ maxModelBytesPerReplica: 10 }, { maxModelBytesPerPrincipal: 10, replicas: 2 }]) {
      const { scheduler, loaded } = await open([], {}, { ...oneRunner, maxRunnersPerReplica: 9, ...limits })
      const deployment = await workshop.deploy('a', '', { maxInReplica: 9 })
      scheduler.answerCalls({
        find: async ({ head }) => ({
          deployment,
          model: modelOf(head.model ?? '', 8),
          method: 'POST',
          url: '/',
        }),
      })
      const script = {
        calls: [
          [
            { to: 'a', model: 'y' },
            { to: 'a', model: 'z' },
          ],
        ],
      }
      const outcome = await outcomeOf(scheduler, deployment, script, { model: modelOf('x', 8) })
      expect(outcome).toMatchObject({ answers: [{ model: 'y' }, { model: 'z' }] })
      await until(() => loaded().length === 1)
      await scheduler.close(0)
    }
  })

  it('keeps what it has called until it has answered, however often it calls', async () => {
    const { run, scheduler, loaded } = await open(['a', 'b'], single, oneRunner)
    const calls = Array.from({ length: 20 }, () => [{ to: 'b', model: 'y' }])
    expect(await run('a', 'x', { calls })).toMatchObject({ model: 'x' })
    await until(() => loaded().length === 1)
    expect(scheduler.pool.replicas.map(({ loads }) => loads)).toEqual([2])
  })

  it('is not evicted for others, who have its place as soon as it goes on', async () => {
    const { run, scheduler } = await open(['a', 'b', 'c'], single, oneRunner)
    const asked = run('a', 'x', call('b', 'y', { ms: 300 }))
    await until(() =>
      [...scheduler.pool.links].some(({ deployment, idle }) => deployment.name === 'b' && !idle),
    )
    const other = run('c', 'z', {})
    const caller = [...scheduler.pool.links].find(({ deployment }) => deployment.name === 'a')
    expect(await asked).toMatchObject({ answers: [{ name: 'b' }] })
    expect(caller?.requests).toBe(1)
    expect(await other).toMatchObject({ name: 'c' })
  })

  it('makes others wait no longer than it does, however many call', async () => {
    const { run } = await open(['a', 'b', 'c'], single, oneRunner)
    let stopped = false
    const loops = Array.from({ length: 4 }, async () => {
      while (!stopped) expect(await run('a', 'x', call('b', 'y', { ms: 10 }))).toMatchObject({ name: 'a' })
    })
    for (let round = 0; round < 3; round += 1) expect(await run('c', 'z', {})).toMatchObject({ name: 'c' })
    stopped = true
    await Promise.all(loops)
  })

  it('ends with its replica where that is replaced, once its calls are answered', async () => {
    const { run, scheduler } = await open(['a', 'b'], single, { ...oneRunner, maxReplicaLoads: 1 })
    const asked = Array.from({ length: 8 }, () => run('a', 'x', call('b', 'y', call('a', 'x'))))
    for (const outcome of await Promise.all(asked))
      expect(outcome).toMatchObject({ answers: [{ answers: [{ name: 'a' }] }] })
    await until(() => ![...scheduler.pool.processes].some(({ state }) => state === 'leaving'))
  })
})

describe('no request waits for ever', { timeout: 60_000 }, () => {
  const models = ['slow-1', 'q', 'r', 's']
  const pick = (number: number): string => models[number % models.length] ?? 'q'

  it.each([
    [1, 1],
    [1, 2],
    [2, 1],
  ])('with %i replica(s) and %i load(s) at once, whoever calls whom', async (replicas, maxParallelLoads) => {
    const { run, loaded } = await open(
      ['a', 'b', 'c'],
      { ...single, timeoutMs: 50_000 },
      {
        ...oneRunner,
        replicas,
        maxParallelLoads,
      },
    )
    const names = ['a', 'b', 'c']
    const scriptOf = (seed: number, depth: number): Script => {
      if (depth === 0) return { ms: seed % 3 }
      const to = names[(seed + depth) % 3] ?? 'a'
      const one = { to, model: pick(seed + depth), ...scriptOf(seed + 1, depth - 1) }
      return { calls: seed % 4 === 0 ? [[one, one]] : [[one]] }
    }
    const asked = Array.from({ length: 60 }, (_, seed) =>
      run(names[seed % 3] ?? 'a', pick(seed >> 2), scriptOf(seed, seed % 4), `tenant-${seed % 5}`),
    )
    const failed = (await Promise.all(asked)).filter((outcome) => typeof outcome === 'string')
    expect(failed).toEqual([])
    await until(() => loaded().length <= replicas)
  })

  it('nor where a caller leaves while what it called comes up', async () => {
    const { run, scheduler, loaded } = await open(['a', 'b'], single, oneRunner)
    const calls = [[{ to: 'b', model: 'slow-2', leaveMs: 30 }]]
    expect(await run('a', 'x', { calls })).toMatchObject({ answers: ['LEFT'] })
    expect(await run('a', 'x', {})).toMatchObject({ name: 'a' })
    await until(
      () => loaded().length === 1 && [...scheduler.pool.links].every(({ state }) => state === 'active'),
    )
  })
})

describe('what is at hand', () => {
  it('is finished while the server stops, callers before those whom they call', async () => {
    const { run, scheduler } = await open(['a', 'b'], { ...single, concurrency: 4 }, oneRunner)
    const steps = [1, 2, 3].map(() => [{ to: 'b', model: 'y', ms: 40 }])
    const asked = [1, 2, 3, 4].map(() => run('a', 'x', { calls: steps }))
    await until(() =>
      [...scheduler.pool.links].some(({ deployment, idle }) => deployment.name === 'b' && !idle),
    )
    const closed = scheduler.close(10_000)
    await expect(ask(scheduler, await workshop.deploy('late', ''), {})).rejects.toMatchObject({
      code: 'DRAINING',
    })
    for (const outcome of await Promise.all(asked))
      expect(outcome).toMatchObject({ answers: [{ name: 'b' }, { name: 'b' }, { name: 'b' }] })
    await closed
  })

  it('is given up with what it calls, where it takes too long', async () => {
    const { run, scheduler } = await open(['a', 'b'], { ...single, concurrency: 4 }, oneRunner)
    const asked = run('a', 'x', call('b', 'y', { end: 'hang' }))
    await until(() =>
      [...scheduler.pool.links].some(({ deployment, idle }) => deployment.name === 'b' && !idle),
    )
    await scheduler.close(100)
    expect(await asked).toBe('DRAINING')
  })
})
