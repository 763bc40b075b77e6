import { Value } from '@sinclair/typebox/value'
import { describe, expect, it } from 'vitest'
import {
  deploymentChangeSchema,
  deploymentSchema,
  deploymentSettingsSchema,
} from '../../runtime/config/deployment-schema.ts'

const least = { name: 'fast', function: 'digits' }

describe('the schema of a deployment', () => {
  it.each([
    {},
    { replicas: 1 },
    {
      replicas: { min: 0, max: 4, targetOngoing: 0.5, lookBackMs: 1, upscaleDelayMs: 1, downscaleDelayMs: 1 },
    },
    { options: null },
    { options: [{ any: 'thing' }] },
    { routePrefix: '/' },
    { routePrefix: '/v1/digits' },
    { resources: { cudaDevices: '0,1', intraOpThreads: 2, provider: 'cuda', maxModelBytes: 1 } },
    { resources: { cudaDevices: 'GPU-8932f937-d72c-4106-c12f-20bd9faed9f6' } },
    { batch: { maxSize: 8, maxDelayMs: 0.5 } },
    { name: 'hello/[name]' },
  ])('takes %j', (settings) => {
    expect(Value.Check(deploymentSchema, { ...least, ...settings })).toBe(true)
  })

  it.each([
    { replicas: 0 },
    { replicas: 257 },
    { replicas: { min: -1, max: 1 } },
    { replicas: { min: 0, max: 0 } },
    { replicas: { min: 0, max: 1, targetOngoing: 0 } },
    { name: '' },
    { name: '../up' },
    { name: 'a b' },
    { name: 'x'.repeat(257) },
    { routePrefix: 'v1' },
    { routePrefix: '/v1/' },
    { routePrefix: '/_private' },
    { routePrefix: '/[name]' },
    { routePrefix: '/a//b' },
    { resources: { cudaDevices: '0;rm -rf' } },
    { resources: { cudaDevices: '0\n1' } },
    { resources: { gpus: 1 } },
    { timeoutMs: 2 ** 31 },
    { batch: { maxSize: 0, maxDelayMs: 0 } },
  ])('refuses %j', (settings) => {
    expect(Value.Check(deploymentSchema, { ...least, ...settings })).toBe(false)
  })
})

it('a function says nothing of names, and a change nothing of routes', () => {
  expect(Value.Check(deploymentSettingsSchema, { routePrefix: '/a' })).toBe(true)
  expect(Value.Check(deploymentSettingsSchema, { name: 'a' })).toBe(false)
  expect(Value.Check(deploymentChangeSchema, { replicas: null })).toBe(true)
  expect(Value.Check(deploymentChangeSchema, { routePrefix: '/a' })).toBe(false)
})
