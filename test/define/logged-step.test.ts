import { describe, expect, it } from 'vitest'
import { loggedStep } from '../../runtime/define/logged-step.ts'
import { defineStep } from '../../runtime/define/step.ts'
import { recordEvents, resultOf } from './step-events.ts'

describe('loggedStep', () => {
  it('is the step by another name', () => {
    const canSkip = () => true
    const step = loggedStep(defineStep({ name: 'decode', weight: 3, canSkip, execute() {} }))
    expect(step).toMatchObject({ name: 'logged_decode', weight: 3, canSkip })
    expect(step).not.toHaveProperty('rollback')
  })

  it('logs the begin and the end, and passes the outcome on', async () => {
    const { context, events } = recordEvents()
    const outcome = { data: { count: 1 }, rollbackData: { row: 1 } }
    const step = loggedStep(defineStep({ name: 'decode', execute: () => outcome }))
    expect(await step.execute(context)).toEqual(outcome)
    expect(events).toEqual([
      ['step_start', { step: 'decode' }],
      ['step_end', { step: 'decode', elapsed: expect.any(Number), success: true, skipped: false }],
    ])
  })

  it.each([
    [undefined, { success: true, skipped: false }],
    [{ success: false }, { success: false, skipped: false }],
    [{ error: 'too quiet' }, { success: false, skipped: false }],
    [{ skipped: true }, { success: true, skipped: true }],
  ])('tells how a step ended that gave %j', async (outcome, ended) => {
    const { context, events } = recordEvents()
    await loggedStep(defineStep({ name: 'a', execute: () => outcome })).execute(context)
    expect(events[1]).toEqual(['step_end', expect.objectContaining(ended)])
  })

  it('logs the end of a step that throws as well', async () => {
    const { context, events } = recordEvents()
    const error = new Error('too quiet')
    const step = loggedStep(defineStep({ name: 'a', execute: () => Promise.reject<undefined>(error) }))
    await expect(step.execute(context)).rejects.toBe(error)
    expect(events[1]).toEqual(['step_end', expect.objectContaining({ success: false, skipped: false })])
  })

  it('logs the rollback before it runs', async () => {
    const { context, events } = recordEvents()
    const result = resultOf({ rollbackData: { row: 1 } })
    const step = loggedStep(
      defineStep({
        name: 'a',
        execute() {},
        rollback: (_, given) => void context.log('undone', { ...given }),
      }),
    )
    await step.rollback?.(context, result)
    expect(events).toEqual([
      ['step_rollback', { step: 'a' }],
      ['undone', result],
    ])
  })
})
