import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ResolvedModel } from '../../runtime/model/resolve.ts'
import type { Deployment } from '../../runtime/replica/deployment.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import { until } from '../support/server.ts'
import { ask, makeReplicaWorkshop, modelOf, outcomeOf, type ReplicaWorkshop } from './replica-workshop.ts'
import { makeWitnessedLoader, type WitnessedLoader } from './witnessed-loader.ts'

let workshop: ReplicaWorkshop
let loader: WitnessedLoader

beforeEach(async () => {
  workshop = await makeReplicaWorkshop()
  loader = makeWitnessedLoader(workshop)
})
afterEach(() => workshop[Symbol.asyncDispose]())

const gibibyte = 2 ** 30
const load = { pin: false, principal: 'acme' }

describe('the bytes of a replica', () => {
  it('are those of the files, or what its memory grew by where that is more', async () => {
    const scheduler = workshop.open()
    const deployment = await deployAdder()
    const fileBytes = 48 * 2 ** 20
    const large = await modelOfFile('large', fileBytes)
    await scheduler.load(deployment, large, load)
    await scheduler.load(deployment, { ...large, key: 'test/light@1', bytes: 1 }, load)
    await scheduler.load(deployment, { ...large, key: 'test/heavy@1', bytes: gibibyte }, load)
    const residents = scheduler.report().replicas.flatMap(({ runners }) => runners)
    const bytesOf = (key: string): number => residents.find(({ modelKey }) => modelKey === key)?.bytes ?? 0
    expect(bytesOf(large.key)).toBeGreaterThanOrEqual(fileBytes)
    expect(bytesOf('test/heavy@1')).toBe(gibibyte)
    // Its files were said to have one byte: what its memory grew by is what it holds.
    expect(bytesOf('test/light@1')).toBeGreaterThan(fileBytes * 0.8)
    expect(bytesOf('test/light@1')).toBeLessThan(fileBytes * 3)
  })

  it('bound what is loaded there, and the least recently used makes room', async () => {
    const scheduler = workshop.open({ maxModelBytesPerReplica: 3 * gibibyte })
    const deployment = await loader.deploy({ maxInReplica: 10 })
    const models = ['a', 'b', 'c', 'd'].map((id) => modelOf(id, gibibyte))
    const [first, ...others] = models
    if (!first) throw new Error('There are four.')
    for (const model of [...models.slice(0, 3), first, ...others.slice(2)])
      await outcomeOf(scheduler, deployment, {}, { model })
    await until(() => loader.witnessed('unload b') === 1)
    expect(scheduler.report().departures).toMatchObject([{ reason: 'bytes', bytes: gibibyte }])
  })
})

describe('the bytes of a principal', () => {
  it('bound what is loaded for it in all replicas, and take nobody else’s room', async () => {
    const scheduler = workshop.open({ replicas: 2, maxModelBytesPerPrincipal: 2 * gibibyte })
    const deployment = await loader.deploy({ maxInReplica: 10 })
    await until(() => scheduler.pool.replicas.length === 2)
    await scheduler.load(deployment, modelOf('theirs', gibibyte), { pin: false, principal: 'other' })
    for (const id of ['a', 'b', 'c']) await scheduler.load(deployment, modelOf(id, gibibyte), load)
    await until(() => loader.witnessed('unload a') === 1)
    expect(scheduler.report().departures).toMatchObject([{ reason: 'principal' }])
    const residents = scheduler.report().replicas.flatMap(({ runners }) => runners)
    expect(residents.map(({ principal, modelId }) => `${principal} ${modelId}`).toSorted()).toEqual([
      'acme b',
      'acme c',
      'other theirs',
    ])
  })

  it('are those of whose request the model was loaded for', async () => {
    const scheduler = workshop.open()
    const deployment = await loader.deploy()
    await ask(scheduler, deployment, {}, { model: 'a' })
    const [resident] = scheduler.report().replicas.flatMap(({ runners }) => runners)
    expect(resident?.principal).toBe('test')
  })
})

describe('several replicas', () => {
  it('hold as many models as they have places together, each once', async () => {
    const scheduler = workshop.open({ replicas: 2 })
    const deployment = await loader.deploy({ maxInReplica: 4 })
    await until(() => scheduler.pool.replicas.length === 2)
    const models = Array.from({ length: 8 }, (_, index) => `m${index}`)
    for (const model of [...models, ...models]) await outcomeOf(scheduler, deployment, {}, { model })
    for (const model of models) expect(loader.witnessed(`load ${model}`)).toBe(1)
    // The least recently used of both makes room, wherever it is.
    for (const model of ['x', 'y', 'z']) await outcomeOf(scheduler, deployment, {}, { model })
    await until(() => loader.witnessed('unload m2') === 1)
    expect(models.map((model) => loader.witnessed(`unload ${model}`))).toEqual([1, 1, 1, 0, 0, 0, 0, 0])
  })
})

describe('a further copy of a hot model', () => {
  it('takes spare room only, and makes room for any other model', async () => {
    const scheduler = workshop.open({ replicas: 2 })
    const deployment = await loader.deploy({ maxInReplica: 2, timeoutMs: 60_000 })
    await until(() => scheduler.pool.replicas.length === 2)
    for (const model of ['hot', 'b', 'c', 'd']) await outcomeOf(scheduler, deployment, {}, { model })
    const heat = (): Promise<unknown> =>
      Promise.all(
        Array.from({ length: 120 }, () => outcomeOf(scheduler, deployment, { ms: 10 }, { model: 'hot' })),
      )
    await heat()
    expect([loader.witnessed('load hot'), scheduler.report().departures]).toEqual([1, []])
    await scheduler.unload(null, modelOf('d').key)
    await scheduler.unload(null, modelOf('c').key)
    await heat()
    expect(loader.witnessed('load hot')).toBe(2)
    for (const model of ['b', 'c', 'd']) await outcomeOf(scheduler, deployment, {}, { model })
    await until(() => loader.witnessed('unload hot') === 1)
    expect(loader.witnessed('load b')).toBe(1)
    expect(await outcomeOf(scheduler, deployment, {}, { model: 'hot' })).toHaveProperty('model', 'hot')
    expect(loader.witnessed('load hot')).toBe(2)
  }, 60_000)

  it('is not loaded where what waits is done sooner than a load', async () => {
    const scheduler = workshop.open({ replicas: 2 })
    const deployment = await loader.deploy()
    await until(() => scheduler.pool.replicas.length === 2)
    for (let round = 0; round < 20; round += 1)
      await Promise.all([1, 2, 3].map(() => outcomeOf(scheduler, deployment, { ms: 1 }, { model: 'slow' })))
    expect(loader.witnessed('load slow')).toBe(1)
  })
})

function deployAdder(): Promise<Deployment> {
  const source = `
import { onnx, tensor } from 'isoplex'
export default defineInference({
  input: Type.Any(),
  model: onnx({ file: 'model.onnx' }),
  infer: async (_, { model }) => {
    const { y } = await model.run({ x: tensor('float32', Float32Array.of(1), [1]) })
    return { y: y.item() }
  },
})`
  return workshop.deploy('adder', source, { maxInReplica: 5, ahead: 1 })
}

async function modelOfFile(id: string, weightBytes: number): Promise<ResolvedModel> {
  const path = join(workshop.directory, id)
  await mkdir(path)
  const bytes = addConstantModel(5, weightBytes)
  await writeFile(join(path, 'model.onnx'), bytes)
  return { ...modelOf(id, bytes.length), info: { id, version: '1', path } }
}
