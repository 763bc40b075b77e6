import { expect, it } from 'vitest'
import { getRayActorOptions, toDeployedResources } from '../../runtime/deploy/actor-options.ts'

it('has the runtime environment, and those resources that are not 0', () => {
  const runtimeEnv = { pip: { packages: ['a'] } }
  expect(getRayActorOptions({ num_cpus: 2, num_gpus: 0.5, memory: 1e9, model: 7 }, runtimeEnv)).toEqual({
    runtime_env: runtimeEnv,
    num_cpus: 2,
    num_gpus: 0.5,
    memory: 1e9,
  })
  for (const params of [{ num_cpus: 0, num_gpus: null, memory: undefined }, {}, undefined, null, []]) {
    expect(getRayActorOptions(params, {})).toEqual({ runtime_env: {} })
  }
})

it('gives the resources in our words', () => {
  expect(toDeployedResources({ runtime_env: {}, num_cpus: 2, num_gpus: 1, memory: 5 })).toEqual({
    cpus: 2,
    gpus: 1,
    memoryBytes: 5,
  })
  expect(toDeployedResources({ resources: { tpu: 1 } })).toEqual({ custom: { tpu: 1 } })
  expect(toDeployedResources({ runtime_env: {} })).toEqual({})
})

it.each([
  [{ num_cpus: '2' }, /"num_cpus"/],
  [{ memory: -1 }, /"memory"/],
  [{ num_gpus: Number.NaN }, /"num_gpus"/],
  [{ resources: [1] }, /"resources"/],
  [{ resources: { tpu: 'x' } }, /"resources.tpu"/],
])('refuses %j', (options, message) => {
  expect(() => toDeployedResources(options)).toThrow(message)
})
