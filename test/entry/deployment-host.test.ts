import { basename } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { DeploymentConfig } from '../../runtime/config/deployment-config.ts'
import { DeploymentHost } from '../../runtime/entry/deployment-host.ts'
import { SchedulerGroups } from '../../runtime/replica/scheduler-groups.ts'
import { sampleFunction } from '../build/manifest-samples.ts'
import { makeReplicaWorkshop, type ReplicaWorkshop } from '../replica/replica-workshop.ts'
import { until } from '../support/server.ts'

let workshop: ReplicaWorkshop
let scheduler: SchedulerGroups
let served: number
beforeEach(async () => {
  workshop = await makeReplicaWorkshop()
  scheduler = new SchedulerGroups({ ...workshop.options, threadsOf: () => 1 })
  served = 0
})
afterEach(async () => {
  await scheduler.close(0)
  await workshop[Symbol.asyncDispose]()
})

const source = `export default defineFunction({
  setup: ({ options }) => {
    if (options === 'broken') throw new Error('no')
  },
  handler: () => 1,
})`

async function open(...deployments: DeploymentConfig[]): Promise<DeploymentHost> {
  const { bundlePath } = await workshop.deploy('greet', source)
  const defaults = { maxModelsPerReplica: 3, maxOngoingRequests: 64, requestTimeoutMs: 10_000 }
  const host: DeploymentHost = new DeploymentHost({
    config: { deployments, entrypoint: null, ...defaults },
    source: { bundlesDirectory: workshop.directory },
    routePrefix: '/app',
    scheduler,
    serve: () => {
      served += 1
      scheduler.follow(host.current.functions.map(({ deployment }) => deployment))
    },
  })
  host.follow({ functions: [sampleFunction('greet', { bundle: basename(bundlePath) })], broken: [] })
  scheduler.follow(host.current.functions.map(({ deployment }) => deployment))
  return host
}

describe('the deployments of a server', () => {
  it('are those of the functions and of the configuration', async () => {
    const host = await open({ name: 'fast', function: 'greet', replicas: 1, timeoutMs: 5 })
    expect(host.list()).toMatchObject([
      { name: 'greet', function: 'greet', route: '/app/greet', group: null, settings: {} },
      { name: 'fast', function: 'greet', route: '/app/fast', group: 'fast', settings: { replicas: 1 } },
    ])
    await until(() => host.find('fast').status === 'running')
    expect(host.current.functions.map(({ mount }) => mount)).toEqual([null, '/fast'])
  })

  it('are told of where they cannot be served', async () => {
    const host = await open({ name: 'fast', function: 'nobody' })
    expect(host.current.problems).toMatchObject([{ code: 'CONFIG_INVALID' }])
    expect(host.current.manifest.broken).toMatchObject([{ file: 'package.json', served: false }])
    expect(() => host.find('fast')).toThrow(/no deployment "fast"; there are: greet/)
  })
})

describe('a change', () => {
  it('is served once its runners are up, and adds to the changes before', async () => {
    const host = await open()
    expect((await host.redeploy('greet', { options: 1 })).settings).toEqual({ options: 1 })
    expect(served).toBe(1)
    expect([...scheduler.pool.links].map(({ deployment }) => deployment.options)).toContain(1)
    expect((await host.redeploy('greet', { replicas: 1 })).settings).toEqual({ options: 1, replicas: 1 })
    expect(host.find('greet').group).toBe('greet')
    expect((await host.redeploy('greet', { replicas: null })).settings).toEqual({ options: 1 })
    expect(host.current.functions[0]?.deployment.group).toBeNull()
  })

  it('outlives a new version of the function', async () => {
    const host = await open()
    await host.redeploy('greet', { options: 1 })
    const { bundlePath } = await workshop.deploy('greet', source)
    host.follow({ functions: [sampleFunction('greet', { bundle: basename(bundlePath) })], broken: [] })
    expect(host.find('greet')).toMatchObject({ version: basename(bundlePath), settings: { options: 1 } })
  })

  it.each([
    ['whose runners do not come up', { options: 'broken' }, 'FUNCTION_BROKEN'],
    ['with replicas that do not come up', { options: 'broken', replicas: 1 }, 'FUNCTION_BROKEN'],
    ['that its function cannot have', { batch: { maxSize: 1, maxDelayMs: 0 } }, 'INPUT_INVALID'],
    ['that contradicts itself', { replicas: { min: 2, max: 1 } }, 'INPUT_INVALID'],
    ['with devices for no replicas', { resources: { cudaDevices: '0' } }, 'INPUT_INVALID'],
  ])('%s changes nothing', async (_, change, code) => {
    const host = await open()
    await expect(host.redeploy('greet', change)).rejects.toMatchObject({ code })
    expect(host.find('greet').settings).toEqual({})
    expect(served).toBe(0)
    await until(() => scheduler.report().replicas.every(({ group }) => group === null))
    expect((await host.redeploy('greet', { options: 2 })).settings).toEqual({ options: 2 })
  })

  it('waits for the change before', async () => {
    const host = await open()
    const changes = [1, 2, 3].map((options) => host.redeploy('greet', { options }))
    const outcomes = await Promise.all([...changes, host.redeploy('nobody', {}).catch(({ code }) => code)])
    expect(outcomes.slice(0, 3)).toMatchObject([1, 2, 3].map((options) => ({ settings: { options } })))
    expect(outcomes[3]).toBe('DEPLOYMENT_NOT_FOUND')
    expect(host.find('greet').settings).toEqual({ options: 3 })
  })
})
