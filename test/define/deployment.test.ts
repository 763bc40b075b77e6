import { Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import { createChecker } from '../../runtime/define/check.ts'
import { defineDeployment, defineDeploymentStep, deploymentParams } from '../../runtime/define/deployment.ts'
import { defineAction, defineFunction, modelId } from '../../runtime/index.ts'

const entrypoint = defineFunction({ handler: () => 1 })
const execute = (): number => 1

describe('a deployment action', () => {
  it('without code has the three steps, and their weights', () => {
    const { kind, input, action } = defineDeployment({ entrypoint })
    expect(kind).toBe('action')
    expect(input).toBe(deploymentParams)
    expect(action?.steps?.map(({ name }) => name)).toEqual(['initialize', 'deploy', 'register'])
    expect(action?.weights).toEqual({ initialize: 1, deploy: 8, register: 1 })
    expect(action?.deployment).toEqual({
      entrypoint,
      serveAppName: null,
      routePrefix: null,
      environment: {},
    })
  })

  it('with code has the categories of progress, and no steps', () => {
    const { action } = defineDeployment({ entrypoint, execute, serveAppName: 'a@1', routePrefix: '/a/v1' })
    expect(action?.steps).toBeNull()
    expect(action?.weights).toEqual({ initialize: 1, deploy: 8, register: 1 })
    expect(action?.deployment).toMatchObject({ serveAppName: 'a@1', routePrefix: '/a/v1' })
  })

  it('may have steps of its own, those of other actions among them', () => {
    const steps = [
      defineDeploymentStep({ name: 'up', weight: 3, execute: async ({ deploy }) => void (await deploy()) }),
      defineDeploymentStep({ name: 'tell', execute: () => undefined }),
    ]
    expect(defineDeployment({ entrypoint, steps }).action?.weights).toEqual({ up: 3, tell: 1 })
  })

  it('tells an action from one that deploys', () => {
    expect(defineAction({ execute }).action?.deployment).toBeNull()
  })

  it.each<readonly [string, object, RegExp]>([
    ['no function', { entrypoint: {} }, /"entrypoint"/],
    ['an action to deploy', { entrypoint: defineAction({ execute }) }, /"entrypoint"/],
    ['both ways', { execute, steps: [] }, /either "execute" or "steps"/],
    ['no steps', { steps: [] }, /at least one step/],
    ['a name with a slash', { serveAppName: 'a/b' }, /"serveAppName"/],
    ['an empty name', { serveAppName: '' }, /"serveAppName"/],
    ['a prefix without a slash', { routePrefix: 'a' }, /"routePrefix"/],
    ['a prefix with an empty segment', { routePrefix: '/a//b' }, /"routePrefix"/],
    ['a variable that is no text', { environment: { A: 1 } }, /"environment.A"/],
    ['a name that no variable has', { environment: { 'A-B': 'x' } }, /"environment.A-B"/],
    ['the input of a function', { input: Type.Object({}) }, /"input"/],
  ])('refuses %s', (_, options, message) => {
    expect(() => defineDeployment({ entrypoint, ...options })).toThrow(message)
  })
})

describe('the parameters of deployments', () => {
  const checks = createChecker(Type.Object({ ...deploymentParams.properties, model: modelId() }))
  it.each([
    [{ model: 'digits' }, true],
    [{ model: 'digits', num_cpus: 0, num_gpus: 0.5, memory: 1e9, replicas: 3 }, true],
    [{ model: 'digits', replicas: { min: 1, max: 4, target_ongoing: 2 } }, true],
    [{ model: 'digits', replicas: 0 }, false],
    [{ model: 'digits', num_gpus: -1 }, false],
    [{ num_gpus: 1 }, false],
  ])('with one of an own: %j', (params, fits) => {
    expect([...checks.issues(params)].length === 0).toBe(fits)
  })
})
