import { expect, it } from 'vitest'
import { isEnded, jobStates } from '../../runtime/job/job.ts'

it('tells the states that a job never leaves', () => {
  expect(jobStates.filter(isEnded)).toEqual(['succeeded', 'failed', 'cancelled'])
})
