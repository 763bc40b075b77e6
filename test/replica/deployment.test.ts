import { describe, expect, it } from 'vitest'
import type { FunctionManifest } from '../../runtime/build/manifest.ts'
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
