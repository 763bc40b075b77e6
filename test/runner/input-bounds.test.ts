import { expect, it } from 'vitest'
import { inputBoundsOf, mediaTypeIn } from '../../runtime/runner/input-bounds.ts'

it('bounds what a function does not', () => {
  expect(inputBoundsOf({})).toEqual({ maxBytes: 10_485_760, timeoutMs: 10_000, taken: ['*/*'] })
})

it('keeps to what a function asks for, and to what a timer can measure', () => {
  expect(inputBoundsOf({ maxBytes: 5, timeoutMs: 2 ** 40, mediaTypes: ['Image/PNG'] })).toEqual({
    maxBytes: 5,
    timeoutMs: 2 ** 31 - 1,
    taken: ['image/png'],
  })
})

it.each([
  ['maxBytes', 0],
  ['maxBytes', 1.5],
  ['timeoutMs', -1],
  ['timeoutMs', Number.NaN],
])('refuses %s of %d', (option, value) => {
  expect(() => inputBoundsOf({ [option]: value })).toThrow(new RegExp(`^"${option}" must be`))
})

it.each([
  ['Image/PNG; charset=binary', 'image/png'],
  ['rubbish', 'application/octet-stream'],
  ['*/*', 'application/octet-stream'],
])('reads %s as %s', (said, mediaType) => {
  expect(mediaTypeIn(new Headers({ 'content-type': said }))).toBe(mediaType)
})

it('takes what says nothing of itself for bytes', () => {
  expect(mediaTypeIn(new Headers())).toBe('application/octet-stream')
})
