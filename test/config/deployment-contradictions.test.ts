import { expect, it } from 'vitest'
import { settingsContradictions } from '../../runtime/config/deployment-contradictions.ts'

it.each([
  {},
  { replicas: { min: 2, max: 2 } },
  { replicas: 1, resources: { cudaDevices: '0', maxModelBytes: 1 } },
  { resources: { intraOpThreads: 1, provider: 'cpu' as const } },
])('nothing in %j contradicts itself', (settings) => {
  expect(settingsContradictions(settings, 'It')).toEqual([])
})

it.each([
  [{ replicas: { min: 3, max: 2 } }, /^It: replicas\.min \(3\) must not exceed replicas\.max \(2\)/],
  [{ resources: { cudaDevices: '0' } }, /^It: resources\.cudaDevices .* set replicas\.$/],
  [{ resources: { maxModelBytes: 1 } }, /^It: resources\.maxModelBytes .* set replicas\.$/],
])('%j contradicts itself', (settings, message) => {
  expect(settingsContradictions(settings, 'It')).toEqual([expect.stringMatching(message)])
})
