import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Deployment } from '../../runtime/replica/deployment.ts'
import type { RunnerState } from '../../runtime/replica/runner-link.ts'
import type { Scheduler } from '../../runtime/replica/scheduler.ts'
import { until } from '../support/server.ts'
import { ask, makeReplicaWorkshop, outcomeOf, type ReplicaWorkshop } from './replica-workshop.ts'
import { makeWitnessedLoader, type WitnessedLoader } from './witnessed-loader.ts'

let workshop: ReplicaWorkshop
let loader: WitnessedLoader

beforeEach(async () => {
  workshop = await makeReplicaWorkshop()
  loader = makeWitnessedLoader(workshop)
})
afterEach(() => workshop[Symbol.asyncDispose]())

const deploy = (facts: Partial<Deployment> = {}): Promise<Deployment> => loader.deploy(facts)
const witnessed = (what: string): number => loader.witnessed(what)

function countOf(scheduler: Scheduler, state: RunnerState): number {
  return [...scheduler.pool.links].filter((link) => link.state === state).length
}

function deathsOf(): number {
  return workshop.log.filter(({ message }) => message === 'A replica died and is replaced').length
}

describe('a load that fails', () => {
  it.each(['throws', 'exits'])(
    'fails who waits for it, with its reason, and is not tried again at once: %s',
    async (model) => {
      const scheduler = workshop.open()
      const deployment = await deploy()
      const outcomes = [1, 2, 3].map(() => outcomeOf(scheduler, deployment, {}, { model }))
      expect(await Promise.all(outcomes)).toEqual(Array(3).fill('MODEL_BROKEN'))
      expect(await outcomeOf(scheduler, deployment, {}, { model })).toBe('MODEL_BROKEN')
      expect(witnessed(`load ${model}`)).toBe(1)
      expect(deathsOf()).toBe(0)
      await until(async () => {
        await outcomeOf(scheduler, deployment, {}, { model })
        return witnessed(`load ${model}`) === 2
      })
    },
  )

  it('that ends its replica is tried alone, and is held to be the reason where that one dies as well', async () => {
    const scheduler = workshop.open()
    const deployment = await deploy()
    await expect(ask(scheduler, deployment, {}, { model: 'kills' })).rejects.toMatchObject({
      code: 'MODEL_BROKEN',
      message: 'Model "kills" ended its process while function "keeper" loaded it.',
    })
    expect(deathsOf()).toBe(1)
    expect(witnessed('load kills')).toBe(2)
    expect(await outcomeOf(scheduler, deployment, {}, { model: 'kills' })).toBe('MODEL_BROKEN')
    expect(witnessed('load kills')).toBe(2)
    await until(async () => {
      expect(await outcomeOf(scheduler, deployment, {}, { model: 'kills' })).toBe('MODEL_BROKEN')
      return witnessed('load kills') === 3
    })
    // From then on it ends nothing in which others might be.
    expect(deathsOf()).toBe(1)
  })

  it('is told from the loads beside it, and harms no request', async () => {
    const scheduler = workshop.open()
    const deployment = await deploy({ timeoutMs: 60_000 })
    let stopped = false
    const loop = async (model: string): Promise<void> => {
      while (!stopped)
        expect(await outcomeOf(scheduler, deployment, { ms: 2 }, { model })).toMatchObject({ model })
    }
    const loops = ['a', 'b'].map(loop)
    const outcomes = ['slow-1', 'kills', 'slow-2'].map((model) =>
      outcomeOf(scheduler, deployment, {}, { model }),
    )
    expect(await Promise.all(outcomes)).toEqual([
      expect.objectContaining({ model: 'slow-1' }),
      'MODEL_BROKEN',
      expect.objectContaining({ model: 'slow-2' }),
    ])
    expect(deathsOf()).toBeLessThanOrEqual(3)
    stopped = true
    await Promise.all(loops)
  }, 60_000)

  it.each(['waits', 'spins'])('is ended where it takes too long, and others go on: %s', async (model) => {
    const scheduler = workshop.open({ loadTimeoutMs: 1_500 })
    const deployment = await deploy()
    const before = await outcomeOf(scheduler, deployment, {}, { model: 'a' })
    await expect(ask(scheduler, deployment, {}, { model })).rejects.toMatchObject({
      code: 'MODEL_BROKEN',
      message: `Model "${model}" did not come up within 1500 ms while function "keeper" loaded it.`,
    })
    expect(await outcomeOf(scheduler, deployment, {}, { model: 'a' })).toEqual(before)
    await until(() => [...scheduler.pool.links].length === 1)
    // It has failed once, not twice: a second, and not two, must pass before the next try.
    await Bun.sleep(1_100)
    void outcomeOf(scheduler, deployment, {}, { model })
    await until(() => witnessed(`load ${model}`) === 2)
  })

  it('takes a function down that had been set up', async () => {
    const scheduler = workshop.open()
    const deployment = await deploy()
    expect(await outcomeOf(scheduler, deployment, {}, { model: 'throws' })).toBe('MODEL_BROKEN')
    await until(() => witnessed('teardown') === 1)
    expect([witnessed('setup'), witnessed('unload throws')]).toEqual([1, 0])
  })
})

describe('the limit of models', () => {
  it('evicts nobody for a load that fails', async () => {
    const scheduler = workshop.open()
    const deployment = await deploy()
    for (const model of ['a', 'b', 'c']) await outcomeOf(scheduler, deployment, {}, { model })
    expect(await outcomeOf(scheduler, deployment, {}, { model: 'throws' })).toBe('MODEL_BROKEN')
    await until(() => [...scheduler.pool.links].length === 3)
    for (const model of ['a', 'b', 'c']) await outcomeOf(scheduler, deployment, {}, { model })
    for (const model of ['a', 'b', 'c']) expect(witnessed(`load ${model}`)).toBe(1)
  })

  it('holds for models that wait to take a place too', async () => {
    const scheduler = workshop.open()
    const deployment = await deploy()
    const streams = await Promise.all(
      ['a', 'b', 'c'].map((model) => ask(scheduler, deployment, { stream: true }, { model })),
    )
    const outcomes = ['d', 'e', 'f', 'g'].map((model) => outcomeOf(scheduler, deployment, {}, { model }))
    await until(() => countOf(scheduler, 'loaded') === workshop.options.maxParallelLoads)
    expect(countOf(scheduler, 'active') + countOf(scheduler, 'retiring')).toBe(3)
    expect([...scheduler.pool.links]).toHaveLength(3 + workshop.options.maxParallelLoads)
    for (const { body } of streams) await (body as ReadableStream).cancel()
    const answers = await Promise.all(outcomes)
    expect(answers.map((answer) => (answer as { model: string }).model)).toEqual(['d', 'e', 'f', 'g'])
  })

  it('keeps no other function from its room while models wait to take a place', async () => {
    const scheduler = workshop.open()
    const deployment = await deploy({ maxInReplica: 1 })
    const stream = await ask(scheduler, deployment, { stream: true }, { model: 'a' })
    const waiting = ['b', 'c'].map((model) => outcomeOf(scheduler, deployment, {}, { model }))
    await until(() => countOf(scheduler, 'loaded') === workshop.options.maxParallelLoads)
    const other = await deploy()
    expect(await outcomeOf(scheduler, other, {}, { model: 'd' })).toHaveProperty('model', 'd')
    await (stream.body as ReadableStream).cancel()
    expect(await Promise.all(waiting)).toMatchObject([{ model: 'b' }, { model: 'c' }])
  })

  it('makes room by who will be done soon, and not by a stream', async () => {
    const scheduler = workshop.open()
    const deployment = await deploy({ maxInReplica: 2, concurrency: 2 })
    const { body } = await ask(scheduler, deployment, { stream: true }, { model: 'a' })
    let stopped = false
    const loop = async (): Promise<void> => {
      while (!stopped) await outcomeOf(scheduler, deployment, { ms: 5 }, { model: 'b' })
    }
    const loops = [loop(), loop()]
    for (let round = 0; round < 3; round += 1)
      expect(await outcomeOf(scheduler, deployment, {}, { model: 'c' })).toHaveProperty('model', 'c')
    expect(witnessed('load a')).toBe(1)
    await (body as ReadableStream).cancel()
    stopped = true
    await Promise.all(loops)
  })
})

describe('a hot model', () => {
  it('spreads to another replica with room', async () => {
    const scheduler = workshop.open({ replicas: 2 })
    const deployment = await deploy()
    await until(() => scheduler.pool.replicas.length === 2)
    const outcomes = await Promise.all(
      Array.from({ length: 60 }, () => outcomeOf(scheduler, deployment, { ms: 10 }, { model: 'a' })),
    )
    expect(new Set(outcomes.map((outcome) => (outcome as { pid: number }).pid)).size).toBe(2)
  })

  it('is not loaded again and again where it fails to spread', async () => {
    const scheduler = workshop.open({ replicas: 2 })
    const flag = join(workshop.directory, 'taken')
    const deployment = await workshop.deploy(
      'one-of-a-kind',
      `
import { existsSync, writeFileSync } from 'node:fs'
export default defineInference({
  input: Type.Any(),
  model: multiplexed(() => {
    appendFileSync(${JSON.stringify(loader.file)}, 'load\\n')
    if (existsSync(${JSON.stringify(flag)})) throw new Error('only once')
    writeFileSync(${JSON.stringify(flag)}, '')
  }),
  infer: async () => { await Bun.sleep(5); return {} },
})`,
      { ahead: 1 },
    )
    await until(() => scheduler.pool.replicas.length === 2)
    await outcomeOf(scheduler, deployment, {}, { model: 'a' })
    const outcomes = Array.from({ length: 120 }, () => outcomeOf(scheduler, deployment, {}, { model: 'a' }))
    expect(new Set(await Promise.all(outcomes).then((all) => all.map((one) => JSON.stringify(one))))).toEqual(
      new Set(['{}']),
    )
    expect(witnessed('load')).toBe(2)
  })
})

describe('a new version', () => {
  it('lets the old one finish what it has, and takes it down', async () => {
    const scheduler = workshop.open()
    const [old, fresh] = [await deploy(), await deploy()]
    scheduler.setCurrent(new Set([old.id]))
    const outcomes = [1, 2, 3].map(() => outcomeOf(scheduler, old, { ms: 50 }, { model: 'a' }))
    await until(() => countOf(scheduler, 'active') === 1)
    scheduler.setCurrent(new Set([fresh.id]))
    expect(await outcomeOf(scheduler, fresh, {}, { model: 'a' })).toHaveProperty('model', 'a')
    for (const outcome of await Promise.all(outcomes)) expect(outcome).toHaveProperty('model', 'a')
    await until(() => [...scheduler.pool.links].every((link) => link.deployment.id === fresh.id))
    expect([witnessed('unload a'), witnessed('teardown')]).toEqual([1, 1])
  })

  it('that comes during a load answers who waits for the old one, and keeps nothing of it', async () => {
    const scheduler = workshop.open()
    const [old, fresh] = [await deploy(), await deploy()]
    const waiting = outcomeOf(scheduler, old, {}, { model: 'slow-1' })
    const leaving = new AbortController()
    const abandoned = outcomeOf(scheduler, old, {}, { model: 'slow-2', signal: leaving.signal })
    await until(() => witnessed('load slow-1') + witnessed('load slow-2') === 2)
    leaving.abort()
    scheduler.setCurrent(new Set([fresh.id]))
    expect(await Promise.all([waiting, abandoned])).toEqual([
      expect.objectContaining({ model: 'slow-1' }),
      'CANCELLED',
    ])
    await until(() => [...scheduler.pool.links].length === 0)
    expect([witnessed('unload slow-1'), witnessed('unload slow-2'), witnessed('teardown')]).toEqual([1, 1, 2])
  })
})

describe('a runner that nobody uses', () => {
  it('is taken down after its idle time', async () => {
    const scheduler = workshop.open({ runnerIdleMs: 200 })
    const deployment = await deploy()
    await outcomeOf(scheduler, deployment, {}, { model: 'a' })
    await until(() => [...scheduler.pool.links].length === 0)
    expect([witnessed('unload a'), witnessed('teardown')]).toEqual([1, 1])
    expect(await outcomeOf(scheduler, deployment, {}, { model: 'a' })).toHaveProperty('model', 'a')
  })

  it('is ended by force where its teardown hangs', async () => {
    const scheduler = workshop.open({ runnerIdleMs: 50 })
    const hanging = `
export default defineFunction({
  input: Type.Any(),
  teardown: () => new Promise(() => {}),
  handler: () => ({}),
})`
    const deployment = await workshop.deploy('hanging', hanging, { timeoutMs: 200 })
    await outcomeOf(scheduler, deployment, {})
    await until(() => [...scheduler.pool.links].length === 0)
    expect(workshop.log).toContainEqual(
      expect.objectContaining({ message: 'A runner is ended', why: 'it does not end' }),
    )
    expect(deathsOf()).toBe(0)
  })
})

describe('a replica that dies', () => {
  it.each(['starting', 'loaded', 'retiring'] as const)(
    'while a runner is %s costs no request',
    async (state) => {
      const scheduler = workshop.open()
      const deployment = await deploy({ maxInReplica: 1, timeoutMs: 60_000 })
      // A stream keeps the first model where it is, so that the second has to wait for its place.
      const stream = await ask(scheduler, deployment, { stream: true }, { model: 'a' })
      void new Response(stream.body).text().catch(() => undefined)
      const outcome = outcomeOf(scheduler, deployment, {}, { model: 'slow' })
      await until(() => countOf(scheduler, state) === 1)
      for (const { pid } of scheduler.pool.replicas) process.kill(pid, 'SIGKILL')
      expect(await outcome).toHaveProperty('model', 'slow')
      expect(await outcomeOf(scheduler, deployment, {}, { model: 'a' })).toHaveProperty('model', 'a')
    },
  )
})
