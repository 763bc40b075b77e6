import { describe, expect, it } from 'vitest'
import type { FunctionManifest } from '../../runtime/build/manifest.ts'
import type { DeploymentSettings } from '../../runtime/config/deployment-config.ts'
import { toDeployment } from '../../runtime/replica/deployment.ts'

const manifest: FunctionManifest = {
  name: 'digits',
  file: 'functions/digits.ts',
  route: '/digits',
  path: '/digits',
  kind: 'inference',
  methods: ['POST'],
  bundle: 'digits-0123456789abcdef.js',
  sources: [],
  access: 'token',
  runs: ['server'],
  idempotent: true,
  model: {},
  accepts: ['application/json'],
}
const defaults = { maxModelsPerReplica: 3, maxOngoingRequests: 64, requestTimeoutMs: 30_000 }
const settle = (changes: Partial<FunctionManifest> = {}) =>
  toDeployment({ ...manifest, ...changes }, '/bundles', defaults)

const deploy = (settings: DeploymentSettings, name = 'fast') =>
  toDeployment({ ...manifest, batch: { maxSize: 8, maxDelayMs: 1 } }, '/bundles', defaults, {
    name,
    settings,
  })

describe('a deployment of another name', () => {
  it('knows its function, and says more than that', () => {
    const settings: DeploymentSettings = {
      maxOngoingRequests: 2,
      maxModelsPerReplica: 9,
      timeoutMs: 7,
      batch: { maxSize: 4, maxDelayMs: 3 },
      options: { a: 1 },
      resources: { intraOpThreads: 2, provider: 'cpu' },
    }
    expect(deploy(settings)).toMatchObject({
      name: 'fast',
      functionName: 'digits',
      concurrency: 2,
      maxInReplica: 9,
      timeoutMs: 7,
      batch: { maxSize: 4, maxDelayMs: 3, maxBytes: 16_777_216 },
      options: { a: 1 },
      session: { intraOpThreads: 2, provider: 'cpu' },
      group: null,
    })
  })

  it('has other runners where its settings differ, but not where only the number of its replicas does', () => {
    const ids = [{}, { options: 1 }, { options: 2 }, { timeoutMs: 1 }, { replicas: 1 }].map(
      (each) => deploy(each).id,
    )
    expect(new Set([...ids, settle().id]).size).toBe(6)
    expect(deploy({ replicas: 2 }).id).toBe(deploy({ replicas: { min: 1, max: 2 } }).id)
    expect(deploy({ routePrefix: '/a' }).id).toBe(deploy({}).id)
  })

  it('has other processes where its devices or the room for models differ', () => {
    const groupOf = (resources: DeploymentSettings['resources'] = {}) =>
      deploy({ replicas: 2, resources }).group
    expect(groupOf()).toEqual({ id: 'fast', replicas: 2, resources: {} })
    const ids = [{}, { cudaDevices: '0' }, { cudaDevices: '1' }, { maxModelBytes: 1 }].map(
      (each) => groupOf(each)?.id,
    )
    expect(new Set(ids).size).toBe(4)
    expect(groupOf({ provider: 'cpu' })?.id).toBe('fast')
  })
})

it('a function says itself what its own deployment has', () => {
  expect(settle({ deployment: { options: 5, replicas: 1 } })).toMatchObject({
    name: 'digits',
    options: 5,
    group: { id: 'digits' },
  })
  expect(settle()).toMatchObject({ options: {}, group: null })
})

describe('toDeployment', () => {
  it('names other code by another id', () => {
    expect(settle().id).toBe(settle().id)
    expect(settle({ bundle: 'digits-fedcba9876543210.js' }).id).not.toBe(settle().id)
    expect(settle().bundlePath).toBe('/bundles/digits-0123456789abcdef.js')
  })

  it('lets a model compute one batch with the next one on its way, and a function wait for many', () => {
    expect(settle()).toMatchObject({ concurrency: 1, ahead: 1, maxInReplica: 3 })
    const { model: _, ...edge } = manifest
    const deployment = toDeployment({ ...edge, kind: 'function' }, '/bundles', defaults)
    expect(deployment).toMatchObject({ concurrency: 64, ahead: 0, maxInReplica: 1 })
  })

  it('takes what the function says before what the configuration says', () => {
    const said = settle({
      maxOngoingRequests: 4,
      timeoutMs: 50,
      idempotent: false,
      model: { maxModelsPerReplica: 7 },
      batch: { maxSize: 32, maxDelayMs: 2 },
    })
    expect(said).toMatchObject({
      concurrency: 4,
      timeoutMs: 50,
      idempotent: false,
      maxInReplica: 7,
      batch: { maxSize: 32, maxDelayMs: 2 },
    })
    expect(settle()).toMatchObject({ timeoutMs: 30_000, batch: { maxSize: 1, maxDelayMs: 0 } })
  })

  it('bounds the bytes of a batch by 16 MiB, or by what the function says', () => {
    expect(settle().batch.maxBytes).toBe(16 * 1024 * 1024)
    expect(settle({ batch: { maxSize: 32, maxDelayMs: 2 } }).batch.maxBytes).toBe(16 * 1024 * 1024)
    expect(settle({ batch: { maxSize: 32, maxDelayMs: 2, maxBytes: 4096 } }).batch.maxBytes).toBe(4096)
  })
})

it('has other runners where a function that it calls is no longer to run beside it', () => {
  const settleBeside = (apart: ReadonlySet<string>) =>
    toDeployment({ ...manifest, calls: ['a', 'b'] }, '/bundles', defaults, {
      name: 'digits',
      settings: {},
      apart,
    })
  const [none, one, stranger] = [new Set<string>(), new Set(['b']), new Set(['c'])].map(settleBeside)
  expect([none?.apart, one?.apart, stranger?.apart]).toEqual([[], ['b'], []])
  expect(one?.id).not.toBe(none?.id)
  expect(stranger?.id).toBe(none?.id)
})
