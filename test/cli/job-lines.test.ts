import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  createJobLines,
  formatCategory,
  formatSeconds,
  lineOf,
  printable,
} from '../../runtime/cli/job-lines.ts'
import type { JobEvent, JobEventKind } from '../../runtime/job/event.ts'

function event(kind: JobEventKind, data: JobEvent['data'], atMs = 0): JobEvent {
  return { seq: 1, atMs, kind, data }
}

function progress(overall: number, current = 'inference', atMs = 0): JobEvent {
  const category = { current: overall, total: 100, percent: overall, timeRemainingSeconds: null }
  return event('progress', { overall, current, categories: { [current]: category } }, atMs)
}

describe('a line', () => {
  it.each([
    ['state', { state: 'running', attempt: 1 }, 'running'],
    ['state', { state: 'running', attempt: 2 }, 'running (attempt 2)'],
    ['state', { state: 'cancelled', attempt: 2 }, 'cancelled'],
    ['step', { step: 'fetch', state: 'done' }, 'step fetch: done'],
    ['metrics', { category: 'inference', values: { a: 1, b: 'x' } }, 'metrics of inference: a=1 b=x'],
    ['log', { event: 'begun', data: { n: 1 } }, 'begun {"n":1}'],
    ['message', { level: 'info', message: 'hello' }, 'hello'],
    ['message', { level: 'danger', message: 'no' }, 'danger: no'],
    ['file', { name: 'a.csv', mediaType: 'text/csv', bytes: 1_200 }, 'file a.csv (1.2 KB)'],
    ['dropped', { count: 3 }, '3 events were too many and are left out'],
  ] as const)('says %s %j', (kind, data, line) => {
    expect(createJobLines().line(event(kind, data))).toBe(line)
  })

  it('says how far the whole is, and the latest category', () => {
    const category = { current: 45, total: 90, percent: 50, timeRemainingSeconds: 12 }
    const data = { overall: 40.9, current: 'inference', categories: { inference: category } }
    expect(createJobLines().line(event('progress', data))).toBe(' 40 %  inference 45/90, 12 s left')
    const before = { overall: 0, current: null, categories: {} }
    expect(createJobLines().line(event('progress', before))).toBe('  0 %')
  })

  it('is not there for what is not understood', () => {
    expect(createJobLines().line(event('progress', {}))).toBeNull()
  })
})

describe('progress', () => {
  it('is told at steps of five percent only', () => {
    const lines = createJobLines()
    const told = Array.from({ length: 101 }, (_, overall) => lines.line(progress(overall)))
    expect(told.filter((line) => line !== null)).toHaveLength(21)
    expect(told.at(-1)).toMatch(/^100 %|^ 100 %/)
  })

  it('is told when another category begins, and after ten seconds', () => {
    const lines = createJobLines()
    expect(lines.line(progress(1))).not.toBeNull()
    expect(lines.line(progress(2))).toBeNull()
    expect(lines.line(progress(2, 'postprocess'))).not.toBeNull()
    expect(lines.line(progress(3, 'postprocess', 9_999))).toBeNull()
    expect(lines.line(progress(3, 'postprocess', 10_000))).not.toBeNull()
  })
})

it.each([
  [0, '0 s'],
  [0.2, '1 s'],
  [99, '99 s'],
  [100, '2 min'],
  [3_600, '60 min'],
  [7_500, '2 h 5 min'],
])('tells %d seconds as %s', (seconds, text) => {
  expect(formatSeconds(seconds)).toBe(text)
})

it('tells a category without a pace', () => {
  expect(formatCategory({ current: 1, total: 2, percent: 50, timeRemainingSeconds: null })).toBe('1/2')
})

it('lets nothing that came from elsewhere command a terminal', () => {
  expect(printable('a\u001b[31mb\r\nc\u009b2J')).toBe('a [31mb c 2J')
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const lines = [
        lineOf({ kind: 'message', level: 'info', message: text }),
        lineOf({ kind: 'log', event: text, data: { text } }),
        lineOf({ kind: 'metrics', category: text, values: { [text]: text } }),
        lineOf({ kind: 'step', step: text, state: text }),
      ]
      for (const line of lines) expect(line).not.toMatch(/\p{Cc}/u)
    }),
  )
})
