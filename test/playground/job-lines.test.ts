import { expect, it } from 'vitest'
import type { JobEvent, JobEventKind } from '../../runtime/job/event.ts'
import { addLines, noLines } from '../../runtime/playground/job-lines.ts'

const event = (seq: number, kind: JobEventKind, data: JobEvent['data']): JobEvent => ({
  seq,
  atMs: 1,
  kind,
  data,
})

it.each([
  ['message', { level: 'danger', message: 'No.' }, 'danger', 'danger', 'No.'],
  ['message', { level: '__proto__', message: 'a' }, 'info', 'info', 'a'],
  ['log', { event: 'batch', data: { size: 2 } }, 'batch', 'event', '{"size":2}'],
  ['log', { event: 'begun', data: {} }, 'begun', 'event', ''],
  ['step', { step: 'infer', state: 'done' }, 'step', 'event', 'infer done'],
  ['state', { state: 'running', attempt: 1 }, 'state', 'event', 'running'],
  ['state', { state: 'running', attempt: 3 }, 'state', 'event', 'running, attempt 3'],
  ['file', { name: 'a.csv' }, 'file', 'event', 'a.csv'],
  ['dropped', { count: 7 }, 'dropped', 'warning', '7 events were too many and are not kept'],
] as const)('writes a %s %j as a line', (kind, data, label, level, text) => {
  expect(addLines(noLines, [event(1, kind, data)]).lines).toEqual([{ seq: 1, atMs: 1, label, level, text }])
})

it('leaves out what is shown elsewhere, and what it does not know', () => {
  const events = [event(1, 'progress', {}), event(2, 'metrics', {}), event(3, 'later' as JobEventKind, {})]
  expect(addLines(noLines, events)).toEqual(noLines)
})

it('keeps the latest lines, each cut to a length, and counts the others', () => {
  let told = noLines
  for (let seq = 1; seq <= 1_300; seq += 100) {
    const events = Array.from({ length: 100 }, (_, index) =>
      event(seq + index, 'log', { event: 'x'.repeat(100), data: 'y'.repeat(9_000) }),
    )
    told = addLines(told, events)
  }
  expect(told.lines).toHaveLength(500)
  expect(told.dropped).toBe(800)
  expect(told.lines.at(-1)?.seq).toBe(1_300)
  expect(told.lines[0]?.label).toHaveLength(64)
  expect(told.lines[0]?.text).toHaveLength(2_001)
})
