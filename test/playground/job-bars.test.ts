import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Job, JobProgress } from '../../runtime/job/job.ts'
import { barRows, formatPercent, formatRemaining, laterProgress } from '../../runtime/playground/job-bars.ts'
import { createJobDesk } from '../support/job-server.ts'

const progressOf = (overall: number, facts: Partial<JobProgress> = {}): JobProgress => ({
  overall,
  current: null,
  categories: {},
  ...facts,
})

const jobOf = (facts: Partial<Job>): Job => createJobDesk().add({ state: 'running', ...facts }).job

const action = { weights: { fetch: 1, infer: 3 }, steps: ['fetch', 'infer'] }

describe('barRows', () => {
  it('has the steps in their order, with what became of each', () => {
    const job = jobOf({
      steps: [{ name: 'fetch', state: 'done', endedMs: 1 }],
      progress: progressOf(40, {
        current: 'infer',
        categories: { infer: { current: 1, total: 5, percent: 20, timeRemainingSeconds: 8 } },
      }),
    })
    expect(barRows(job, action)).toEqual([
      { name: 'fetch', percent: 100, share: 25, counted: null, remaining: null, state: 'done' },
      { name: 'infer', percent: 20, share: 75, counted: '1 of 5', remaining: '8 s', state: 'running' },
    ])
  })

  it('does not wait for steps of a job that has ended', () => {
    const job = jobOf({
      state: 'failed',
      endedMs: 2,
      steps: [{ name: 'fetch', state: 'failed', endedMs: 1 }],
      progress: progressOf(0, { current: 'infer' }),
    })
    expect(barRows(job, action).map(({ state }) => state)).toEqual(['failed', 'not-run'])
  })

  it('has the categories of an action without steps, those that it did not announce too', () => {
    const reported = { current: 2, total: 4, percent: 50, timeRemainingSeconds: null }
    const job = jobOf({ progress: progressOf(0, { categories: { toString: reported } }) })
    expect(barRows(job, { weights: { inference: 1 }, steps: [] })).toEqual([
      { name: 'inference', percent: 0, share: 100, counted: null, remaining: null, state: null },
      { name: 'toString', percent: 50, share: null, counted: '2 of 4', remaining: null, state: null },
    ])
    expect(barRows(job, null).map(({ name }) => name)).toEqual(['toString'])
  })

  it('has no more rows than can be looked at, and no percentage beyond its bounds', () => {
    const category = (percent: number) => ({ current: 0, total: 0, percent, timeRemainingSeconds: -1 })
    const categories = Object.fromEntries(
      Array.from({ length: 1_000 }, (_, index) => [`c${index}`, category(index % 2 ? 1e9 : Number.NaN)]),
    )
    const rows = barRows(jobOf({ progress: progressOf(0, { categories }) }), { weights: { a: 0 }, steps: [] })
    expect(rows).toHaveLength(60)
    expect(new Set(rows.map(({ percent }) => percent))).toEqual(new Set([0, 100]))
    expect(rows[0]?.share).toBeNull()
  })
})

it('takes the later of two reports, in whatever order they are read', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 100, noNaN: true }),
      fc.double({ min: 0, max: 100, noNaN: true }),
      (a, b) => {
        expect(laterProgress(progressOf(a), progressOf(b)).overall).toBe(Math.max(a, b))
      },
    ),
  )
})

it.each([
  [0, '0.0 %'],
  [42, '42.0 %'],
  [99.99, '99.9 %'],
  [100, '100 %'],
])('writes %d percent as %s', (percent, text) => {
  expect(formatPercent(percent)).toBe(text)
})

it.each([
  [null, null],
  [-1, null],
  [Number.POSITIVE_INFINITY, null],
  [0.2, '1 s'],
  [60, '1 min 0 s'],
  [3_725, '1 h 2 min'],
])('writes %s seconds to come as %s', (seconds, text) => {
  expect(formatRemaining(seconds)).toBe(text)
})
