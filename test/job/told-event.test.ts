import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { JobEvent, JobEventKind } from '../../runtime/job/event.ts'
import { toldBy } from '../../runtime/job/told-event.ts'

const kinds: readonly JobEventKind[] = [
  'state',
  'step',
  'progress',
  'metrics',
  'log',
  'message',
  'file',
  'dropped',
]

function event(kind: JobEventKind, data: JobEvent['data']): JobEvent {
  return { seq: 1, atMs: 0, kind, data }
}

const category = { current: 1, total: 2, percent: 50, timeRemainingSeconds: null }

it.each([
  ['state', { state: 'running', attempt: 2, error: null }],
  ['step', { step: 'fetch', state: 'done' }],
  ['metrics', { category: 'inference', values: { accuracy: 0.9 } }],
  ['log', { event: 'begun', data: { count: 1 } }],
  ['message', { level: 'warning', message: 'careful' }],
  ['dropped', { count: 3 }],
] as const)('reads what an event of the kind %s tells', (kind, data) => {
  expect(toldBy(event(kind, data))).toMatchObject({ kind })
})

it('reads progress and files whole', () => {
  const progress = { overall: 50, current: 'inference', categories: { inference: category } }
  expect(toldBy(event('progress', progress))).toEqual({ kind: 'progress', progress })
  const file = { name: 'a.csv', mediaType: 'text/csv', bytes: 3 }
  expect(toldBy(event('file', file))).toEqual({ kind: 'file', file })
})

it('takes a state without an attempt for the first', () => {
  expect(toldBy(event('state', { state: 'queued' }))).toEqual({ kind: 'state', state: 'queued', attempt: 1 })
})

it.each([
  ['state', { state: 'elsewhere' }],
  ['step', { step: 1, state: 'done' }],
  ['progress', { overall: 'much', current: null, categories: {} }],
  ['progress', { overall: 1, current: 2, categories: {} }],
  ['progress', { overall: 1, current: null, categories: { a: { percent: 1 } } }],
  ['metrics', { category: 'a', values: [] }],
  ['log', { data: {} }],
  ['message', { level: 'loud', message: 'a' }],
  ['file', { name: 'a', mediaType: 'b' }],
  ['dropped', { count: '3' }],
] as const)('makes nothing of %s with %j', (kind, data) => {
  expect(toldBy(event(kind, data))).toBeNull()
})

it('never throws, whatever the data', () => {
  fc.assert(
    fc.property(fc.constantFrom(...kinds), fc.dictionary(fc.string(), fc.jsonValue()), (kind, data) => {
      toldBy(event(kind, data))
    }),
  )
})

it('makes nothing of a kind that it does not know', () => {
  expect(toldBy(event('other' as JobEventKind, {}))).toBeNull()
})
