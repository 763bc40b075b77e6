import { describe, expect, it } from 'vitest'
import { loggedStep } from '../../runtime/define/logged-step.ts'
import { defineStep } from '../../runtime/define/step.ts'
import { timedStep } from '../../runtime/define/timed-step.ts'
import { recordEvents } from './step-events.ts'

describe('timedStep', () => {
  it('is the step by another name', () => {
    const functions = { canSkip: () => true, rollback() {} }
    const step = timedStep(defineStep({ name: 'decode', weight: 3, ...functions, execute() {} }))
    expect(step).toMatchObject({ name: 'timed_decode', weight: 3, ...functions })
  })

  it('leaves how long the step took beside what the step leaves', async () => {
    const { context } = recordEvents()
    const outcome = { success: false, error: 'bad', data: { count: 1 }, rollbackData: { row: 1 } }
    expect(await timedStep(defineStep({ name: 'a', execute: () => outcome })).execute(context)).toEqual({
      ...outcome,
      data: { count: 1, durationSeconds: expect.any(Number) },
    })
    expect(await timedStep(defineStep({ name: 'a', execute() {} })).execute(context)).toEqual({
      data: { durationSeconds: expect.any(Number) },
    })
  })

  it('leaves an error as it is', async () => {
    const error = new Error('bad')
    const step = timedStep(defineStep({ name: 'a', execute: () => Promise.reject<undefined>(error) }))
    await expect(step.execute(recordEvents().context)).rejects.toBe(error)
  })

  it('goes around other such steps', () => {
    expect(timedStep(loggedStep(defineStep({ name: 'a', execute() {} }))).name).toBe('timed_logged_a')
  })
})
