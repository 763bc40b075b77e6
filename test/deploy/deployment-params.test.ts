import { expect, it } from 'vitest'
import { readDeploymentParams } from '../../runtime/deploy/deployment-params.ts'

it('reads what it knows, and nothing else', () => {
  expect(readDeploymentParams({ replicas: 2, max_ongoing_requests: 8, model: 7, num_cpus: 1 })).toEqual({
    replicas: 2,
    maxOngoingRequests: 8,
  })
  expect(readDeploymentParams({ replicas: { min: 1, max: 3, target_ongoing: 1.5 } })).toEqual({
    replicas: { min: 1, max: 3, targetOngoing: 1.5 },
  })
  expect(readDeploymentParams({ replicas: { min: 2, max: 2 }, max_models_per_replica: 1 })).toEqual({
    replicas: { min: 2, max: 2 },
    maxModelsPerReplica: 1,
  })
  for (const params of [undefined, null, {}, [], { replicas: null }]) {
    expect(readDeploymentParams(params)).toEqual({})
  }
})

it.each([
  [{ replicas: 0 }, /"replicas"/],
  [{ replicas: '2' }, /"replicas"/],
  [{ replicas: { min: 3, max: 2 } }, /"replicas.min"/],
  [{ replicas: { min: 1 } }, /"replicas.max"/],
  [{ replicas: { min: 1, max: 2, target_ongoing: 0 } }, /"replicas.target_ongoing"/],
  [{ max_ongoing_requests: 1.5 }, /"max_ongoing_requests"/],
  [{ max_models_per_replica: -1 }, /"max_models_per_replica"/],
])('refuses %j', (params, message) => {
  expect(() => readDeploymentParams(params)).toThrow(message)
})
