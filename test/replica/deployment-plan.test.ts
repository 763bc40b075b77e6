import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { FunctionManifest } from '../../runtime/build/manifest.ts'
import type { DeploymentConfig } from '../../runtime/config/deployment-config.ts'
import { apartIn, type DeploymentWishes, planDeployments } from '../../runtime/replica/deployment-plan.ts'
import { toFunctionRoute } from '../../runtime/route/function-route.ts'
import { sampleFunction } from '../build/manifest-samples.ts'

function fn(file: string, facts: Partial<FunctionManifest> = {}): FunctionManifest {
  const { name, pattern } = toFunctionRoute(`${file}.ts`)
  return { ...sampleFunction(file), name, route: pattern.route, path: pattern.path, ...facts }
}

const digits = fn('digits', {
  runs: ['server', 'browser'],
  browser: { bundle: 'digits-0123456789abcdef.js' },
})
const hello = fn('hello/[name]')

function plan(
  functions: readonly FunctionManifest[],
  configured: DeploymentConfig[],
  changed?: DeploymentWishes['changed'],
) {
  const { deployments, problems } = planDeployments(functions, { configured, ...(changed && { changed }) })
  return {
    routes: deployments.map(({ manifest }) => `${manifest.name} ${manifest.route}`),
    deployments: new Map(deployments.map((planned) => [planned.manifest.name, planned])),
    problems: problems.map(({ code, message }) => `${code}: ${message}`),
  }
}

describe('a function', () => {
  it('has a deployment of its own, as it is', () => {
    const { deployments, problems } = plan([digits], [])
    expect(deployments.get('digits')).toEqual({ manifest: digits, fn: digits, settings: {}, mount: null })
    expect(problems).toEqual([])
  })

  it('says itself what its own deployment has, and the configuration says it better', () => {
    const own = { ...digits, deployment: { replicas: 1, options: { a: 1 }, timeoutMs: 5 } }
    const { deployments } = plan([own], [{ name: 'digits', function: 'digits', options: { b: 2 } }])
    expect(deployments.get('digits')?.settings).toEqual({ replicas: 1, options: { b: 2 }, timeoutMs: 5 })
    expect(deployments.get('digits')?.manifest).toMatchObject({ route: '/digits', timeoutMs: 5 })
  })

  it('moves to the prefix that its own deployment is given', () => {
    const { routes } = plan([digits], [{ name: 'digits', function: 'digits', routePrefix: '/v2/digits' }])
    expect(routes).toEqual(['digits /v2/digits'])
  })

  it('stays as it is where its settings are wrong', () => {
    const { routes, problems } = plan(
      [digits],
      [{ name: 'digits', function: 'digits', batch: { maxSize: 1, maxDelayMs: 0 } }],
    )
    expect(routes).toEqual(['digits /digits'])
    expect(problems).toEqual([expect.stringMatching(/^CONFIG_INVALID: The deployment "digits".*"batch"/)])
  })
})

describe('a further deployment', () => {
  it('answers at its name and everything below, on servers only', () => {
    const { deployments } = plan([digits], [{ name: 'fast-digits', function: 'digits', options: 1 }])
    const { manifest, mount, settings, fn: deployed } = deployments.get('fast-digits') ?? {}
    expect(mount).toBe('/fast-digits')
    expect(settings).toEqual({ options: 1 })
    expect(deployed).toBe(digits)
    expect(manifest).toMatchObject({ route: '/fast-digits', path: '/fast-digits', runs: ['server'] })
    expect(manifest).not.toHaveProperty('browser')
  })

  it('has the path parameters of its function below its prefix', () => {
    const users = fn('users/[id]/posts/[post]')
    const files = fn('files/[...rest]')
    const { deployments } = plan(
      [hello, users, files],
      [
        { name: 'greeter', function: 'hello/[name]' },
        { name: 'posts', function: users.name, routePrefix: '/v1' },
        { name: 'store', function: files.name },
      ],
    )
    expect(deployments.get('greeter')).toMatchObject({ mount: null, manifest: { path: '/greeter/:name' } })
    expect(deployments.get('posts')).toMatchObject({ manifest: { route: '/v1/[id]/posts/[post]' } })
    expect(deployments.get('store')).toMatchObject({ manifest: { route: '/store/[...rest]' } })
  })

  it('may have the prefix of all', () => {
    const { deployments } = plan([digits], [{ name: 'all', function: 'digits', routePrefix: '/' }])
    expect(deployments.get('all')).toMatchObject({ mount: '/', manifest: { route: '/' } })
  })

  it.each<[DeploymentConfig, RegExp]>([
    [
      { name: 'a', function: 'digit' },
      /^CONFIG_INVALID: .*"a".*no function "digit"; the nearest is "digits"/,
    ],
    [
      { name: 'a', function: 'digits', routePrefix: '/digits' },
      /^ROUTE_CONFLICT: .*digits.*"a".*`routePrefix`\.$/,
    ],
    [
      { name: 'a', function: 'digits', routePrefix: '/healthz' },
      /^CONFIG_INVALID: The deployment "a" .*\/healthz.*`routePrefix`\.$/,
    ],
    [{ name: 'hello/[name]', function: 'digits' }, /^CONFIG_INVALID: .*give it a routePrefix/],
    [
      { name: 'digits', function: 'hello/[name]', routePrefix: '/x' },
      /^ROUTE_CONFLICT: .*both named "digits"/,
    ],
    [{ name: 'a', function: 'digits', maxModelsPerReplica: 2 }, /^CONFIG_INVALID: .*no model/],
    [{ name: 'a', function: 'digits', resources: { cudaDevices: '0' } }, /^CONFIG_INVALID: .*set replicas/],
    [{ name: 'a', function: 'train' }, /^CONFIG_INVALID: .*is an action/],
  ])('%j is refused', (entry, message) => {
    const train = fn('train', { kind: 'action' })
    const { routes, problems } = plan([digits, hello, train], [entry])
    expect(routes).toEqual(['digits /digits', 'hello/[name] /hello/[name]', 'train /train'])
    expect(problems).toEqual([expect.stringMatching(message)])
  })

  it('of two at one prefix the first is served, and the conflict names both', () => {
    const { routes, problems } = plan(
      [digits],
      [
        { name: 'a', function: 'digits', routePrefix: '/x' },
        { name: 'b', function: 'digits', routePrefix: '/x' },
      ],
    )
    expect(routes).toEqual(['digits /digits', 'a /x'])
    expect(problems).toEqual([expect.stringMatching(/^ROUTE_CONFLICT: .*"a".*"b"/)])
  })
})

describe('a change', () => {
  it('wins, member by member, and gives replicas of its own up', () => {
    const entry = { name: 'a', function: 'digits', replicas: 2, timeoutMs: 7 }
    const settingsWith = (change: object) =>
      plan([digits], [entry], new Map([['a', change]])).deployments.get('a')?.settings
    expect(settingsWith({ options: 1 })).toEqual({ replicas: 2, timeoutMs: 7, options: 1 })
    expect(settingsWith({ replicas: 3 })).toEqual({ replicas: 3, timeoutMs: 7 })
    expect(settingsWith({ replicas: null })).toEqual({ timeoutMs: 7 })
  })
})

it('whatever is configured, no two deployments have one name or one route, and nothing is lost silently', () => {
  const names = fc.constantFrom('a', 'b', 'digits', 'hello/[name]', 'c/d')
  const entry = fc.record(
    {
      name: names,
      function: fc.constantFrom('digits', 'hello/[name]', 'nobody'),
      routePrefix: fc.constantFrom('/a', '/b', '/digits', '/hello', '/'),
    },
    { requiredKeys: ['name', 'function'] },
  )
  const entries = fc.uniqueArray(entry, { selector: ({ name }) => name, maxLength: 5 })
  fc.assert(
    fc.property(entries, (configured) => {
      const { deployments, problems } = planDeployments([digits, hello], { configured })
      const planned = deployments.map(({ manifest }) => manifest)
      expect(new Set(planned.map(({ name }) => name)).size).toBe(planned.length)
      expect(new Set(planned.map(({ route }) => route)).size).toBe(planned.length)
      const further = configured.filter(({ name, function: fn }) => name !== fn).length
      expect(deployments.length + problems.length).toBeGreaterThanOrEqual(2 + further)
    }),
  )
})

it('knows which functions nobody runs beside itself', () => {
  const configured = [
    { name: 'digits', function: 'digits', replicas: 1 },
    { name: 'loud', function: 'loud', options: { volume: 11 } },
    { name: 'other', function: 'third', replicas: 1 },
    { name: 'third', function: 'third', options: {} },
  ]
  const { deployments } = planDeployments([digits, fn('loud'), fn('third')], { configured })
  expect([...apartIn(deployments)]).toEqual(['digits', 'loud'])
})

it('says where the function that is to answer the prefix is not there', () => {
  const problemsOf = (entrypoint: string) =>
    planDeployments([digits], { configured: [], entrypoint }).problems.map(({ message }) => message)
  expect(problemsOf('digits')).toEqual([])
  expect(problemsOf('digit')).toEqual([expect.stringMatching(/"entrypoint".*"digit".*nearest is "digits"/)])
})
