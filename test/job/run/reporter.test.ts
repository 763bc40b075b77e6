import { beforeEach, describe, expect, it } from 'vitest'
import { IsoplexError } from '../../../runtime/error/error.ts'
import type { JobMetrics, JobProgress } from '../../../runtime/job/job.ts'
import { EventAllowance } from '../../../runtime/job/run/event-allowance.ts'
import { Reporter } from '../../../runtime/job/run/reporter.ts'
import type { JobReport } from '../../../runtime/job/store.ts'

let reports: JobReport[]
let refused: unknown[]
let progress: JobProgress
/** Resolves when a report may end. */
let gate: Promise<void>

beforeEach(() => {
  reports = []
  refused = []
  progress = { overall: 0, current: null, categories: {} }
  gate = Promise.resolve()
})

function open(metrics: JobMetrics = {}, send?: (report: JobReport) => Promise<void>): Reporter {
  return new Reporter({
    send: async (report) => {
      reports.push(report)
      await gate
      await send?.(report)
    },
    progress: () => progress,
    metrics,
    refused: (error) => refused.push(error),
    paceMs: 5,
    allowance: new EventAllowance(() => 0),
  })
}

const kinds = (): string[] => reports.flatMap(({ events }) => events.map(({ kind }) => kind))

it('reports by itself what it was told', async () => {
  open().tell('log', { event: 'begun', data: { at: 1 } })
  await expect.poll(() => reports.length).toBe(1)
  expect(reports[0]).toEqual({
    progress: null,
    metrics: null,
    events: [{ atMs: expect.any(Number), kind: 'log', data: { event: 'begun', data: { at: 1 } } }],
  })
})

it('has one report under way at a time, and then the newest progress only', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  gate = promise
  const reporter = open()
  reporter.progressed()
  await expect.poll(() => reports.length).toBe(1)
  for (const overall of [10, 20, 30]) {
    progress = { ...progress, overall }
    reporter.progressed()
    reporter.tell('log', { event: `at ${overall}` })
  }
  expect(reports).toHaveLength(1)
  resolve()
  await reporter.flush()
  expect(reports).toHaveLength(2)
  expect(reports[1]?.progress?.overall).toBe(30)
  expect(kinds()).toEqual(['log', 'log', 'log'])
})

it('has reported everything once it is flushed', async () => {
  const reporter = open()
  await reporter.flush()
  expect(reports).toEqual([])
  for (let index = 0; index < 300; index += 1) reporter.tell('log', { event: 'e', data: { index } })
  await reporter.flush()
  expect(kinds()).toHaveLength(300)
})

it('reports all metrics where one has changed, and as an event those that have', async () => {
  const reporter = open({ inference: { loss: 3, speed: 1 } })
  reporter.measure({ loss: 2 }, 'inference')
  reporter.measure({ loss: 1 }, 'inference')
  reporter.measure({ size: 8 }, 'other')
  await reporter.flush()
  reporter.measure(JSON.parse('{"__proto__": 1}'), 'toString')
  await reporter.flush()
  expect(reports.map(({ metrics }) => JSON.stringify(metrics))).toEqual([
    '{"inference":{"loss":1,"speed":1},"other":{"size":8}}',
    '{"inference":{"loss":1,"speed":1},"other":{"size":8},"toString":{"__proto__":1}}',
  ])
  expect(reports[0]?.events.map(({ data }) => data)).toEqual([
    { category: 'inference', values: { loss: 1 } },
    { category: 'other', values: { size: 8 } },
  ])
})

it('tells things as they were then', async () => {
  const reporter = open()
  const data = { step: 1 }
  reporter.tell('log', data)
  data.step = 2
  await reporter.flush()
  expect(reports[0]?.events[0]?.data).toEqual({ step: 1 })
})

it.each([
  ['a bigint', { value: 1n }],
  [
    'what holds itself',
    (() => {
      const self: Record<string, unknown> = {}
      self.self = self
      return self
    })(),
  ],
])('refuses %s', (_, data) => {
  const reporter = open()
  expect(() => reporter.tell('log', data)).toThrow(TypeError)
  expect(() => reporter.measure(data, 'inference')).toThrow(TypeError)
})

describe('a flood', () => {
  it('is cut at a burst, and what was cut is counted', async () => {
    const reporter = open()
    for (let index = 0; index < 100_000; index += 1) reporter.tell('log', { event: 'e', data: { index } })
    await reporter.flush()
    const events = reports.flatMap((report) => report.events)
    expect(events).toHaveLength(1_001)
    expect(events[999]?.data).toEqual({ event: 'e', data: { index: 999 } })
    expect(events[1_000]).toMatchObject({ kind: 'dropped', data: { count: 99_000 } })
  })

  it.each([
    ['large events', (reporter: Reporter, text: string) => reporter.tell('log', { event: text })],
    ['large metrics', (reporter: Reporter, text: string) => reporter.measure({ text }, 'inference')],
  ])('of %s is cut too', async (_, flood) => {
    const reporter = open()
    flood(reporter, 'x'.repeat(65_536))
    for (let index = 0; index < 100; index += 1) flood(reporter, 'x'.repeat(60_000))
    await reporter.flush()
    expect(reports[0]?.events.at(-1)).toMatchObject({ kind: 'dropped', data: { count: 101 - 69 } })
    expect(JSON.stringify(reports).length).toBeLessThan(9_000_000)
  })
})

it('goes on after a report that was refused, without its metrics', async () => {
  const error = new IsoplexError('JOB_TOO_LARGE', 'Too much.', { details: { limitBytes: 1 } })
  const reporter = open({}, async (report) => {
    if (report.metrics?.inference?.large !== undefined) throw error
  })
  reporter.measure({ large: 'very' }, 'inference')
  await reporter.flush()
  reporter.measure({ small: 1 }, 'inference')
  await reporter.flush()
  expect(refused).toEqual([error])
  expect(reports.at(-1)?.metrics).toEqual({ inference: { small: 1 } })
})

it.each(['flush', 'flushTold'] as const)('ends %s though more is told all the time', async (flush) => {
  const reporter = open({}, async () => {
    if (reports.length < 20) reporter.tell('log', { event: 'again' })
  })
  reporter.tell('log', { event: 'once' })
  await reporter[flush]()
  expect(kinds()).toEqual(['log'])
})
