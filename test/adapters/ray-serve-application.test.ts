import { describe, expect, it } from 'vitest'
import {
  isRouted,
  othersThan,
  ownApplications,
  ownerOfRoute,
  parkedRoute,
  routed,
  toApplication,
  toDeployed,
} from '../../adapters/ray-serve/application.ts'
import type { ApplicationConfig, ServeStatus } from '../../adapters/ray-serve/rest-client.ts'
import type { DeployOrder } from '../../runtime/deploy/target.ts'

const order: DeployOrder = {
  identity: { appName: 'digits@1.2.0', routePrefix: '/digits' },
  name: 'digits',
  version: 'abc',
  routePrefix: '/digits',
  bundle: '/srv/build',
  replicas: 2,
  resources: { cpus: 2 },
  environment: {},
}

/** What Ray tells of applications that were put like this. */
function statusOf(...configs: readonly ApplicationConfig[]): ServeStatus {
  const applications = configs.map((config) => {
    const status = {
      status: 'RUNNING',
      message: '',
      route_prefix: config.route_prefix ?? null,
      deployments: {},
    }
    return [config.name, { ...status, deployed_app_config: config }] as const
  })
  return { applications: Object.fromEntries(applications) }
}

const foreign: ApplicationConfig = {
  name: 'theirs',
  route_prefix: '/theirs',
  import_path: 'their_module:app',
}

describe('the application of an order', () => {
  it('is put where nobody calls it, and finds the shim in the folder of the build', () => {
    const config = toApplication(order)
    expect(config.route_prefix).toBe(parkedRoute(config.name))
    expect(config).toMatchObject({
      import_path: 'isoplex_shim:build',
      args: {
        name: 'digits',
        version: 'abc',
        routePrefix: '/digits',
        folder: '/srv/build',
        replicas: 2,
        gates: 2,
      },
      runtime_env: { env_vars: { PYTHONPATH: '/srv/build' } },
    })
  })

  it('has an archive for its working directory', () => {
    const config = toApplication({ ...order, bundle: 'https://files.example.com/build.zip' })
    expect(config).toMatchObject({
      runtime_env: { working_dir: 'https://files.example.com/build.zip', env_vars: {} },
    })
    expect(config.args).not.toHaveProperty('folder')
  })

  it.each<Partial<DeployOrder>>([
    { version: 'abd' },
    { replicas: 3 },
    { replicas: { min: 1, max: 2 } },
    { resources: { gpus: 0.5 } },
    { environment: { A: 'b' } },
    { routePrefix: '/others' },
    { maxModelsPerReplica: 5 },
    { runtimeEnvironment: { pip: ['numpy'] } },
  ])('has another name for %o, so that nothing is changed in place', (change) => {
    expect(toApplication({ ...order, ...change }).name).not.toBe(toApplication(order).name)
  })

  it('has the same name for the same order', () => {
    expect(toApplication({ ...order })).toEqual(toApplication(order))
  })

  it('keeps what a name must not hold out of its own', () => {
    expect(toApplication({ ...order, name: '@me/digits v1#' }).name).toMatch(/^@me_digits_v1_-[0-9a-f]{12}$/)
  })
})

describe('the applications of a cluster', () => {
  const config = toApplication(order)
  const serving = routed(config, '/digits')

  it('of others stay to the letter', () => {
    const status = statusOf(foreign, serving)
    expect(othersThan(status, new Set([serving.name]))).toEqual([foreign])
  })

  it('without a configuration of their own are not named, since nobody could repeat them', () => {
    const [imperative] = Object.values(statusOf(foreign).applications)
    const status = { applications: { made: { ...Object(imperative), deployed_app_config: null } } }
    expect(othersThan(status, new Set())).toEqual([])
  })

  it('are told from those of others, and by name', () => {
    const other = toApplication({ ...order, name: 'speech' })
    const status = statusOf(foreign, serving, other)
    expect(ownApplications(status).map(({ name }) => name)).toEqual(['digits', 'speech'])
    expect(ownApplications(status, 'speech')).toHaveLength(1)
  })

  it('are routed or parked', () => {
    const states = ownApplications(statusOf(serving, toApplication({ ...order, version: 'next' })))
    expect(states.map(isRouted)).toEqual([true, false])
    expect(states.map((own) => toDeployed(own).routePrefix)).toEqual(['/digits', null])
    expect(states.map((own) => toDeployed(own).version)).toEqual(['abc', 'next'])
  })

  it('have a route that is taken, by others and not by versions of their own', () => {
    expect(ownerOfRoute(statusOf(foreign, serving), '/theirs', 'digits')).toBe('theirs')
    expect(ownerOfRoute(statusOf(foreign, serving), '/digits', 'digits')).toBeNull()
    expect(ownerOfRoute(statusOf(foreign, serving), '/digits', 'speech')).toBe(serving.name)
    expect(ownerOfRoute(statusOf({ ...foreign, route_prefix: '/' }), '', 'digits')).toBe('theirs')
  })
})
