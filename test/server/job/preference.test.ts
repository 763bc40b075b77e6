import fc from 'fast-check'
import { expect, it } from 'vitest'
import { longestWaitSeconds, readWait } from '../../../runtime/server/job/preference.ts'

const read = (prefer: string): number | null => readWait(new Headers({ prefer }))

it.each([
  ['wait=10', 10],
  ['wait=0', 0],
  ['WAIT = 5', 5],
  ['wait="7"', 7],
  ['respond-async, wait=10', 10],
  ['wait=10; foo=bar', 10],
  ['wait=1, wait=2', 1],
  ['foo="a, wait=5", wait=6', 6],
  ['wait=999999999', longestWaitSeconds],
])('reads %s as %d seconds', (header, seconds) => {
  expect(read(header)).toBe(seconds)
})

it.each([
  'wait',
  'wait=',
  'wait=-1',
  'wait=1.5',
  'wait=x',
  'await=5',
  'wait=5x',
  'wait="5',
  'foo="wait=5"',
  '',
])('passes "%s" over', (header) => {
  expect(read(header)).toBe(null)
})

it('passes over headers that are longer than any wish', () => {
  expect(read(`wait=5${' '.repeat(10)},${'"\\'.repeat(1_000)}`)).toBe(null)
  expect(readWait(new Headers())).toBe(null)
})

it('gives nothing but a bounded time, whatever is sent', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[wait=0-9",;\\ ]*$/), (text) => {
      const seconds = read(text)
      expect(seconds === null || (Number.isInteger(seconds) && seconds >= 0 && seconds <= 60)).toBe(true)
    }),
  )
})
