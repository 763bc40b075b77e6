import { beforeEach, describe, expect, it } from 'vitest'
import type { DeploymentFields, DeploymentMembers } from '../../runtime/define/deployment-context.ts'
import type { DeploymentFacts, ServeApplication } from '../../runtime/define/deployment-facts.ts'
import { noteFunctionName } from '../../runtime/define/function-name.ts'
import {
  DeploymentWork,
  type DeploymentWorkOptions,
  startDeploymentFields,
} from '../../runtime/deploy/deployment-work.ts'
import { defineFunction } from '../../runtime/index.ts'
import { MemoryCluster } from './memory-cluster.ts'

const facts: DeploymentFacts = {
  serveAppName: 'ocr@1.0.0',
  routePrefix: '/abc',
  routeIsOfVersion: true,
  runtimeEnv: { pip: { packages: ['a'] } },
  rayAddress: null,
  environment: { ISOPLEX_BACKEND: 'embedded' },
}
const entrypoint = defineFunction({ handler: () => 1 })
noteFunctionName(entrypoint, 'ocr/detect')
const program = {
  entrypoint,
  serveAppName: null,
  routePrefix: null,
  environment: { MODE: 'fast' },
}

let cluster: MemoryCluster
let opened: string[]
let registered: ServeApplication[]
let register: () => Promise<number | null>
let version: string
let told: string[]
beforeEach(() => {
  cluster = new MemoryCluster()
  opened = []
  registered = []
  register = async () => 7
  version = 'v1'
  told = []
})

type Opened = DeploymentMembers & { readonly context: DeploymentFields }

function open(wishes: Partial<DeploymentWorkOptions> = {}, signal = new AbortController().signal): Opened {
  const options: DeploymentWorkOptions = {
    program,
    params: {},
    facts,
    host: {
      prepareBundle: async () => ({ bundle: `/builds/${version}`, version }),
      registerApplication: async (application) => {
        registered.push(application)
        return register()
      },
    },
    openTarget: (address) => {
      opened.push(address)
      return cluster
    },
    ...wishes,
  }
  const context = {
    ...startDeploymentFields(options),
    signal,
    setProgress: (current: number, total: number, category?: string) =>
      void told.push(`${category ?? 'step'} ${current}/${total}`),
    logMessage: (message: string) => void told.push(message),
  }
  const categories = new Set(['initialize', 'deploy'])
  return { ...new DeploymentWork(options).membersOf({ context, categories }), context }
}

describe('a deployment', () => {
  it('begins with the fields of the contract', () => {
    expect(open({ params: { num_gpus: 1, num_cpus: 0 } }).context).toMatchObject({
      serveAppName: 'ocr@1.0.0',
      serveAppId: null,
      routePrefix: '/abc',
      rayActorOptions: { runtime_env: facts.runtimeEnv, num_gpus: 1 },
      deployed: false,
    })
    const named = { program: { ...program, serveAppName: 'own', routePrefix: '/own' } }
    expect(open(named).context).toMatchObject({ serveAppName: 'own', routePrefix: '/own' })
  })

  it('is refused where its entrypoint comes from no function file', async () => {
    const { deploy } = open({ program: { ...program, entrypoint: defineFunction({ handler: () => 1 }) } })
    await expect(deploy()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('"entrypoint"'),
    })
    expect(cluster.orders).toEqual([])
  })

  it('does not begin where nothing names it', () => {
    const unnamed = { facts: { ...facts, serveAppName: null } }
    expect(() => open(unnamed)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  })

  it('orders what its fields, parameters and options say', async () => {
    const { deploy, context } = open({ params: { replicas: 2, max_ongoing_requests: 9 } })
    context.rayActorOptions = { num_gpus: 2 }
    await deploy({ maxModelsPerReplica: 5, environment: { MODE: 'exact' } })
    expect(cluster.orders).toEqual([
      {
        identity: { appName: 'ocr@1.0.0', routePrefix: '/abc' },
        name: 'ocr@1.0.0',
        version: 'v1',
        bundle: '/builds/v1',
        routePrefix: '/abc',
        replicas: 2,
        maxOngoingRequests: 9,
        maxModelsPerReplica: 5,
        resources: { gpus: 2 },
        environment: { ISOPLEX_BACKEND: 'embedded', ISOPLEX_ENTRYPOINT: 'ocr/detect', MODE: 'exact' },
      },
    ])
    expect(context.deployed).toBe(true)
    expect(told).toEqual([
      'Building the plugin for the cluster.',
      'deploy 50/100',
      'half way',
      'deploy 60/100',
      'deploy 1/1',
    ])
  })

  it('takes the place of other versions where its route is not that of one version', async () => {
    await open({ facts: { ...facts, routeIsOfVersion: false, routePrefix: '/' } }).deploy()
    expect(cluster.orders[0]).toMatchObject({
      name: 'ocr',
      routePrefix: '/',
      identity: { appName: 'ocr@1.0.0', routePrefix: '' },
    })
  })

  it('looks at the cluster once, at the address that it is told', async () => {
    const { rayInit, deploy, registerServeApplication } = open()
    expect(await rayInit({ address: 'ray://10.0.0.7:10001' })).toMatchObject({ version: '2.58.0' })
    await deploy()
    await registerServeApplication()
    expect(opened).toEqual(['http://10.0.0.7:8265'])
    expect(cluster.asked).toEqual(['connect', 'deploy v1'])
  })

  it('that fails is told of, and not deployed', async () => {
    const { deploy, context } = open()
    cluster.failure = { error: new Error('it does not come up'), halfUp: false }
    await expect(deploy()).rejects.toThrow('it does not come up')
    expect(context.deployed).toBe(false)
  })
})

describe('undoing a deployment', () => {
  it('takes away what is there for the first time', async () => {
    const { deploy, undeploy, context } = open()
    await deploy()
    await undeploy()
    expect(cluster.asked.at(-1)).toBe('remove ocr@1.0.0')
    expect(context.deployed).toBe(false)
    await undeploy()
    expect(cluster.applications).toEqual([])
  })

  it('gives the route back to the version before', async () => {
    await open().deploy()
    version = 'v2'
    const { deploy, undeploy } = open()
    await deploy()
    await undeploy()
    expect(cluster.asked.at(-1)).toBe('rollback ocr@1.0.0')
  })

  it('leaves the version that serves where the new one is half up, also after a death', async () => {
    await open().deploy()
    version = 'v2'
    cluster.failure = { error: new Error('killed'), halfUp: true }
    await expect(open().deploy()).rejects.toThrow('killed')
    expect(cluster.applications).toHaveLength(2)
    await open().undeploy()
    expect(cluster.asked.at(-1)).toBe('discard ocr@1.0.0 v2')
    expect(cluster.applications).toMatchObject([{ version: 'v1', routePrefix: '/abc' }])
  })

  it('leaves what had served before it was deployed once more', async () => {
    await open().deploy()
    const { deploy, undeploy } = open()
    await deploy()
    await undeploy()
    expect(cluster.applications).toMatchObject([{ version: 'v1', routePrefix: '/abc' }])
  })
})

describe('a registration', () => {
  it('tells what the cluster says of the application', async () => {
    const { deploy, registerServeApplication, context } = open({ params: { replicas: { min: 2, max: 3 } } })
    await deploy()
    expect(await registerServeApplication({ pluginRelease: 12 })).toBe(7)
    expect(registered).toEqual([
      {
        name: 'ocr@1.0.0',
        status: 'RUNNING',
        params: { replicas: { min: 2, max: 3 } },
        replicas: 2,
        pluginRelease: 12,
        data: { status: 'RUNNING' },
      },
    ])
    expect(context).toMatchObject({ serveAppId: 7, registrationError: null })
  })

  it('that fails is no failure, unless it is required', async () => {
    const { deploy, registerServeApplication, context } = open()
    await deploy()
    register = () => Promise.reject(new Error('not for you'))
    expect(await registerServeApplication()).toBeNull()
    expect(context).toMatchObject({ deployed: true, serveAppId: null, registrationError: 'not for you' })
    await expect(registerServeApplication({ required: true })).rejects.toThrow('not for you')
    register = async () => null
    expect(await registerServeApplication({ required: true })).toBeNull()
    expect(context.registrationError).toBeNull()
  })

  it('of nothing fails', async () => {
    const { registerServeApplication } = open()
    await expect(registerServeApplication({ required: true })).rejects.toMatchObject({
      code: 'DEPLOY_FAILED',
    })
  })
})
