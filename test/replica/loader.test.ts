import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { RunnerKeeper } from '../../runtime/replica/keeper.ts'
import type { RequestQueue } from '../../runtime/replica/queue.ts'
import { until } from '../support/server.ts'
import { ask, makeReplicaWorkshop, modelOf, outcomeOf, type ReplicaWorkshop } from './replica-workshop.ts'
import { makeWitnessedLoader, type WitnessedLoader } from './witnessed-loader.ts'
import { makeQueue } from './work.ts'

let workshop: ReplicaWorkshop
let loader: WitnessedLoader

beforeEach(async () => {
  workshop = await makeReplicaWorkshop()
  loader = makeWitnessedLoader(workshop)
})
afterEach(() => workshop[Symbol.asyncDispose]())

describe('a model that many miss at once', () => {
  it('is loaded once', async () => {
    const scheduler = workshop.open({ replicas: 2 })
    await until(() => scheduler.pool.replicas.length === 2)
    const deployment = await workshop.deploy('batched', batchedSource(loader.file), {
      batch: { maxSize: 50, maxDelayMs: 0, maxBytes: 1_048_576 },
      ahead: 1,
    })
    const outcomes = Array.from({ length: 1_000 }, () =>
      outcomeOf(scheduler, deployment, {}, { model: 'slow' }),
    )
    await Promise.race(outcomes)
    expect(loader.witnessed('load slow')).toBe(1)
    expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['slow']))
  })
})

const batchedSource = (file: string): string => `
export default defineInference({
  input: Type.Any(),
  batch: { maxSize: 50, maxDelayMs: 0, maxBytes: 1_048_576 },
  model: multiplexed(async ({ id }) => {
    appendFileSync(${JSON.stringify(file)}, 'load ' + id + '\\n')
    await Bun.sleep(300)
    return id
  }),
  infer: async (inputs, { model }) => inputs.map(() => model),
})
`

describe('a model that keeps its runner at work', () => {
  it('has a further one in spare room, and another at once where a death takes one', async () => {
    const scheduler = workshop.open({ replicas: 2 })
    await until(() => scheduler.pool.replicas.length === 2)
    const deployment = await loader.deploy({ ahead: 1 })
    let stopped = false
    const loop = async (): Promise<void> => {
      while (!stopped)
        expect(await outcomeOf(scheduler, deployment, { ms: 100 }, { model: 'a' })).toMatchObject({
          model: 'a',
        })
    }
    // One is worked on and one lies ahead: nothing waits in the queue.
    const loops = [loop(), loop()]
    const serving = () => [...scheduler.pool.links].filter(({ state }) => state === 'active')
    await until(() => serving().length === 2)
    expect(loader.witnessed('load a')).toBe(2)
    const pid = serving()[0]?.replica.pid ?? 0
    process.kill(pid, 'SIGKILL')
    await until(() => serving().length === 2 && serving().every(({ replica }) => replica.pid !== pid))
    expect(loader.witnessed('load a')).toBe(3)
    stopped = true
    await Promise.all(loops)
  })
})

describe('a model that is too large', () => {
  it('is refused before its load where its files say so', async () => {
    const scheduler = workshop.open({ maxModelBytesPerReplica: 2 ** 30 })
    const deployment = await loader.deploy()
    await expect(ask(scheduler, deployment, {}, { model: modelOf('a', 2 ** 30 + 1) })).rejects.toMatchObject({
      code: 'MODEL_TOO_LARGE',
      details: { model: 'a', bytes: 2 ** 30 + 1, limitBytes: 2 ** 30 },
    })
    expect(await outcomeOf(scheduler, deployment, {}, { model: modelOf('b', 2 ** 30) })).toHaveProperty(
      'model',
    )
    expect([loader.witnessed('load a'), loader.witnessed('load b')]).toEqual([0, 1])
  })

  it('is refused where it is more than its principal may have', async () => {
    const scheduler = workshop.open({ maxModelBytesPerPrincipal: 1_000 })
    const deployment = await loader.deploy()
    const load = scheduler.load(deployment, modelOf('a', 1_001), { pin: false, principal: 'acme' })
    await expect(load).rejects.toMatchObject({ code: 'MODEL_TOO_LARGE', details: { limitBytes: 1_000 } })
    expect(loader.witnessed('load a')).toBe(0)
  })

  it('is ended after its load where its memory says so, and remembered as a failure', async () => {
    const limitBytes = 64 * 2 ** 20
    const scheduler = workshop.open({ maxModelBytesPerReplica: limitBytes })
    const deployment = await workshop.deploy('hungry', hungrySource(loader.file), {
      maxInReplica: 3,
      ahead: 1,
    })
    expect(await outcomeOf(scheduler, deployment, {}, { model: 'modest' })).toEqual({})
    await expect(ask(scheduler, deployment, {}, { model: 'greedy' })).rejects.toMatchObject({
      code: 'MODEL_TOO_LARGE',
      details: { model: 'greedy', limitBytes },
    })
    expect(await outcomeOf(scheduler, deployment, {}, { model: 'greedy' })).toBe('MODEL_TOO_LARGE')
    expect(loader.witnessed('load greedy')).toBe(1)
    await until(() => loader.witnessed('unload greedy') === 1)
    await until(() => scheduler.report().departures.length === 1)
    expect(scheduler.report().departures).toMatchObject([
      { reason: 'failed', modelKey: modelOf('greedy').key },
    ])
    expect(await outcomeOf(scheduler, deployment, {}, { model: 'modest' })).toEqual({})
    expect(loader.witnessed('load modest')).toBe(1)
  })
})

/** Takes memory of its process as a native library would, and keeps it. */
const hungrySource = (file: string): string => `
const tell = (what) => appendFileSync(${JSON.stringify(file)}, what + '\\n')
export default defineInference({
  input: Type.Any(),
  model: multiplexed(({ id }) => {
    tell('load ' + id)
    return { id, memory: new Uint8Array(id === 'greedy' ? 2 ** 27 : 0).fill(1) }
  }, { unload: ({ id }) => tell('unload ' + id) }),
  infer: () => ({}),
})
`

describe('places that are all pinned', () => {
  it('are refused to others at once, and given again when one is unpinned', async () => {
    const scheduler = workshop.open()
    const deployment = await loader.deploy({ maxInReplica: 2 })
    for (const model of ['a', 'b'])
      await scheduler.load(deployment, modelOf(model), { pin: true, principal: 'acme' })
    await expect(ask(scheduler, deployment, {}, { model: 'c' })).rejects.toMatchObject({ code: 'ROOM_TAKEN' })
    await expect(
      scheduler.load(deployment, modelOf('c'), { pin: false, principal: 'acme' }),
    ).rejects.toMatchObject({ code: 'ROOM_TAKEN' })
    expect(loader.witnessed('load c')).toBe(0)
    scheduler.setPinned(deployment.name, modelOf('a').key, false)
    expect(await outcomeOf(scheduler, deployment, {}, { model: 'c' })).toHaveProperty('model', 'c')
    await until(() => loader.witnessed('unload a') === 1)
    expect(scheduler.report().departures).toMatchObject([{ modelKey: modelOf('a').key, reason: 'count' }])
  })

  it('are refused to a newcomer that was being loaded when they were', async () => {
    const scheduler = workshop.open()
    const deployment = await loader.deploy({ maxInReplica: 1 })
    await outcomeOf(scheduler, deployment, {}, { model: 'a' })
    const outcome = outcomeOf(scheduler, deployment, {}, { model: 'slow' })
    await until(() => loader.witnessed('load slow') === 1)
    scheduler.setPinned(deployment.name, modelOf('a').key, true)
    expect(await outcome).toBe('ROOM_TAKEN')
    await until(() => loader.witnessed('unload slow') === 1)
    expect(loader.witnessed('unload a')).toBe(0)
  })
})

describe('loads side by side', () => {
  it('are as many as a replica may have', async () => {
    const scheduler = workshop.open({ maxParallelLoads: 3 })
    const deployment = await loader.deploy({ maxInReplica: 10 })
    const outcomes = ['1', '2', '3', '4', '5'].map((n) =>
      outcomeOf(scheduler, deployment, {}, { model: `slow-${n}` }),
    )
    await until(() => [...scheduler.pool.links].length === 3)
    const countLoads = (): number =>
      [...scheduler.pool.links].filter(({ state }) => state === 'starting').length
    let most = 0
    const watch = setInterval(() => {
      most = Math.max(most, countLoads())
    }, 5)
    expect(await Promise.all(outcomes)).not.toContain('MODEL_BROKEN')
    clearInterval(watch)
    expect(most).toBe(3)
  })
})

describe('a load at whose side replicas die', () => {
  it('is tried alone although a request of the same model is', async () => {
    const scheduler = workshop.open({ replicas: 1 })
    const deployment = await loader.deploy()
    const dies = async (): Promise<void> => {
      const [replica] = scheduler.pool.replicas
      if (!replica) return
      process.kill(replica.pid, 'SIGKILL')
      await replica.ended
    }
    const linkIn = (state: string) => [...scheduler.pool.links].filter((link) => link.replica.state === state)
    const first = outcomeOf(scheduler, deployment, { ms: 2_000 }, { model: 'slow-a' })
    await until(() => linkIn('serving').some(({ idle }) => !idle))
    await dies()
    await until(() => linkIn('isolated').some(({ idle }) => !idle))
    const second = outcomeOf(scheduler, deployment, {}, { model: 'slow-a' })
    await until(() => linkIn('serving').some(({ state }) => state === 'starting'))
    await dies()
    expect(await Promise.all([first, second])).toMatchObject([{ model: 'slow-a' }, { model: 'slow-a' }])
  })

  it('is not tried again before it is acquitted, and then as usual', async () => {
    const suspects: RequestQueue[] = []
    const keeper = new RunnerKeeper(workshop.options, {
      changed: (queue) => {
        for (const each of queue ? [queue] : [innocent, guilty]) keeper.want(each)
      },
      frame: () => undefined,
      ended: () => undefined,
      needs: () => true,
      suspectLoad: (queue) => suspects.push(queue),
    })
    const deployment = await loader.deploy()
    const [innocent, guilty] = ['slow', 'kills'].map((model) => makeQueue(deployment, modelOf(model))) as [
      RequestQueue,
      RequestQueue,
    ]
    await until(() => suspects.length === 2)
    expect(new Set(suspects)).toEqual(new Set([innocent, guilty]))
    const tried = loader.witnessed('load kills')
    expect(tried).toBeGreaterThan(0)
    keeper.acquit(innocent)
    await until(() => [...innocent.links].some(({ state }) => state === 'active'))
    expect(loader.witnessed('load kills')).toBe(tried)
    await keeper.close(0)
  })
})
