import { describe, expect, it } from 'vitest'
import { validationStep } from '../../runtime/define/validation-step.ts'
import { recordEvents } from './step-events.ts'

describe('validationStep', () => {
  it('has the name and the weight of the usual one, or its own', () => {
    expect(validationStep(() => null)).toMatchObject({ name: 'validate', weight: 0.05 })
    expect(validationStep(() => null, { name: 'check', weight: 1 })).toMatchObject({
      name: 'check',
      weight: 1,
    })
  })

  it('fails with the reason, and only where there is one', async () => {
    const { context } = recordEvents()
    const step = validationStep(({ requests }) => (requests.length === 0 ? 'There is no sound.' : null))
    expect(await step.execute(context)).toEqual({ success: false, error: 'There is no sound.' })
    context.requests.push(1)
    expect(await step.execute(context)).toEqual({ success: true, error: null })
  })
})
