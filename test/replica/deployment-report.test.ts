import { expect, it } from 'vitest'
import { statusOf } from '../../runtime/replica/deployment-report.ts'

it.each([
  [0, 0, 'idle'],
  [0, 1, 'scaling'],
  [2, 0, 'starting'],
  [2, 1, 'scaling'],
  [1, 2, 'scaling'],
  [2, 2, 'running'],
] as const)('of %i replicas that are to answer %i do: %s', (target, running, status) => {
  expect(statusOf({ target, running })).toBe(status)
})
