import { expect, it } from 'vitest'
import { IsoplexError } from '../../runtime/error/error.ts'
import { jobErrorOf } from '../../runtime/job/job-error.ts'

it('tells what is ours, and the step', () => {
  const error = new IsoplexError('MODEL_FORBIDDEN', 'No right to it.', { details: { model: 'five' } })
  expect(jobErrorOf(error, 'fetch')).toEqual({
    code: 'MODEL_FORBIDDEN',
    message: 'No right to it.',
    details: { model: 'five' },
    step: 'fetch',
    rollbackErrors: [],
  })
})

it('hides all else, and says where it is found', () => {
  expect(jobErrorOf(new Error('The password is 7.'))).toEqual({
    code: 'INTERNAL',
    message: expect.stringContaining("under the job's id"),
    step: null,
    rollbackErrors: [],
  })
})
