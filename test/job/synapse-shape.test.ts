import { describe, expect, it } from 'vitest'
import { jobStates } from '../../runtime/job/job.ts'
import {
  synapseLog,
  synapseMetrics,
  synapseProgress,
  synapseResult,
  synapseStatus,
} from '../../runtime/job/synapse-shape.ts'

const weights = { model_load: 1, inference: 8, postprocess: 1 }

it('calls the states as Synapse does', () => {
  expect(jobStates.map(synapseStatus)).toEqual(['pending', 'running', 'succeeded', 'failed', 'stopped'])
})

describe('progress', () => {
  it('has each category, its share, and the latest beside the overall figure', () => {
    const inference = { current: 1, total: 3, percent: 33.33, timeRemainingSeconds: 4 }
    const loaded = { current: 1, total: 1, percent: 100, timeRemainingSeconds: 0 }
    const progress = {
      overall: 36.664,
      current: 'inference',
      categories: { model_load: loaded, inference },
    }
    expect(synapseProgress(progress, weights)).toEqual({
      record: {
        steps: {
          model_load: { percent: 100, time_remaining: 0, proportion: 10 },
          inference: { percent: 33.33, time_remaining: 4, proportion: 80 },
        },
      },
      current_progress: { overall: 36.66, step: 'inference', percent: 33.33, time_remaining: 4 },
    })
  })

  it('is only the overall figure before any category was reported', () => {
    expect(synapseProgress({ overall: 0, current: null, categories: {} }, weights)).toEqual({
      record: { steps: {} },
      current_progress: { overall: 0 },
    })
  })

  it('has no share where there is no weight', () => {
    const categories = { own: { current: 1, total: 2, percent: 50, timeRemainingSeconds: null } }
    for (const none of [{}, { own: 0 }]) {
      expect(synapseProgress({ overall: 5, current: 'own', categories }, none)).toMatchObject({
        record: { steps: { own: { percent: 50, time_remaining: null } } },
      })
    }
  })
})

it('keeps metrics by category', () => {
  expect(synapseMetrics({ inference: { accuracy: 0.5 } })).toEqual({
    record: { steps: { inference: { accuracy: 0.5 } } },
  })
})

it('writes the time of an entry as Python does, in the zone of this machine', () => {
  const atMs = new Date(2026, 0, 31, 9, 5, 7, 123).getTime()
  expect(synapseLog('7', atMs, 'begun', { a: 1 })).toEqual({
    event: 'begun',
    data: { a: 1 },
    datetime: '2026-01-31 09:05:07.123000',
    job: '7',
  })
})

describe('a result', () => {
  const succeeded = { state: 'succeeded', error: null } as const

  it('of steps is in the words of the SDK', () => {
    const value = { success: true, stepsExecuted: 2, stepsTotal: 3, processedCount: 9, results: [1] }
    expect(synapseResult(succeeded, value)).toEqual({
      success: true,
      steps_executed: 2,
      steps_total: 3,
      processed_count: 9,
      results: [1],
    })
    const { results: _, ...without } = value
    expect(synapseResult(succeeded, without)).not.toHaveProperty('results')
  })

  it.each([
    [{ mean: 1 }, { mean: 1 }],
    [
      { success: true, stepsExecuted: 1 },
      { success: true, stepsExecuted: 1 },
    ],
    [[1, 2], { result: [1, 2] }],
    ['text', { result: 'text' }],
    [undefined, { result: null }],
  ])('is an object: %j', (value, told) => {
    expect(synapseResult(succeeded, value)).toEqual(told)
  })

  it('that is too large is only measured', () => {
    expect(synapseResult(succeeded, { text: 'a'.repeat(2_000_000) })).toEqual({
      result: null,
      bytes: 2_000_011,
    })
  })

  it('of a failure says why, and of a cancelled job nothing', () => {
    const error = { code: 'STEP_FAILED', message: 'No room.', step: 'write', rollbackErrors: [] } as const
    expect(synapseResult({ state: 'failed', error }, undefined)).toEqual({
      success: false,
      error: 'No room.',
    })
    expect(synapseResult({ state: 'cancelled', error: null }, undefined)).toBeNull()
  })
})
