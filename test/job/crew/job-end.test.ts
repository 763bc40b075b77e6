import { describe, expect, it } from 'vitest'
import { IsoplexError } from '../../../runtime/error/error.ts'
import { cancelledEnd, crashedEnd, failedEnd, overdueEnd } from '../../../runtime/job/crew/job-end.ts'

describe('the ends that a crew gives jobs', () => {
  it('say by a code why that is', () => {
    expect(cancelledEnd()).toMatchObject({ state: 'cancelled', error: { code: 'CANCELLED', step: null } })
    expect(overdueEnd(1_500)).toMatchObject({ state: 'failed', error: { code: 'DEADLINE_EXCEEDED' } })
    expect(overdueEnd(1_500).error.message).toContain('1500 ms')
    expect(crashedEnd(5)).toMatchObject({ state: 'failed', error: { code: 'JOB_CRASHED' } })
    expect(crashedEnd(5).error.message).toContain('5 times')
  })

  it('show what is ours, and hide what is not', () => {
    const forbidden = new IsoplexError('MODEL_FORBIDDEN', 'Not yours.', { details: { model: 'digits' } })
    expect(failedEnd(forbidden).error).toEqual({
      code: 'MODEL_FORBIDDEN',
      message: 'Not yours.',
      details: { model: 'digits' },
      step: null,
      rollbackErrors: [],
    })
    expect(failedEnd(new Error('a secret of the host')).error).toMatchObject({
      code: 'INTERNAL',
      message: expect.not.stringContaining('secret'),
    })
  })
})
