import { expect, it } from 'vitest'
import { formatDeployments } from '../../runtime/cli/deployments.ts'
import { deploymentReportOf } from '../server/memory-deployments.ts'

it('shows each deployment in a line', () => {
  const fast = deploymentReportOf('fast', {
    function: 'digits',
    group: 'fast',
    status: 'scaling',
    replicas: { target: 2, running: 1 },
    settings: { replicas: { min: 0, max: 4 } },
    ongoing: 3,
    queued: 12,
  })
  expect(formatDeployments([deploymentReportOf('digits'), fast]).split('\n')).toEqual([
    'DEPLOYMENT  FUNCTION  STATUS   REPLICAS      GROUP   ONGOING  QUEUED  ROUTE    VERSION',
    'digits      digits    running  2/2           shared  0        0       /digits  01234567',
    'fast        digits    scaling  1/2 (0 to 4)  own     3        12      /fast    01234567',
  ])
})

it('says that there is none', () => {
  expect(formatDeployments([])).toBe('No deployments.')
})
